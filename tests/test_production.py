"""What a learner takes home from lesson 9: values for Milvus' chart, and alert rules. Nothing is installed
here."""

import shutil
import subprocess

import pytest
import yaml

from halab.course.paths import course_root
from halab.models.health_probes import HealthProbe, detection

FOLDER = course_root() / "docs" / "production"

# The keys of chart 4.2's own values.yaml (zilliztech/milvus-helm, charts/milvus) that ours may set, with the
# type of each. A Helm chart takes any key and ignores what it does not know: a slip would go unnoticed.
_COMPONENT = {"enabled": bool, "replicas": int, "activeStandby": {"enabled": bool}}
_PROBE = {"enabled": bool, **dict.fromkeys(
    ("initialDelaySeconds", "periodSeconds", "timeoutSeconds", "successThreshold", "failureThreshold"), int
)}  # fmt: skip
CHART = {
    "cluster": {"enabled": bool},
    "mixCoordinator": _COMPONENT,
    **{role: {"enabled": bool, "replicas": int} for role in ("proxy", "queryNode", "dataNode", "indexNode")},
    "etcd": {"replicaCount": int},
    "minio": {"mode": str},
    "livenessProbe": _PROBE,
    "readinessProbe": _PROBE,
    "metrics": {
        "enabled": bool,
        "serviceMonitor": {"enabled": bool, "interval": str, "scrapeTimeout": str},
    },
    "affinity": {"podAntiAffinity": dict},
    "extraConfigFiles": {"user.yaml": str},
}


def strange(values, known, path=""):
    """What the chart does not know, or has another type."""
    found = []
    for key, value in values.items():
        want = known.get(key)
        if isinstance(want, dict) and isinstance(value, dict):
            found += strange(value, want, f"{path}{key}.")
        elif want is None or isinstance(want, dict) or type(value) is not want:
            found.append(f"{path}{key}")
    return found


@pytest.fixture(scope="module")
def values():
    return yaml.safe_load((FOLDER / "values.yaml").read_text())


@pytest.fixture(scope="module")
def rules():
    groups = yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_the_chart_knows_every_key(values):
    assert strange(values, CHART) == []
    assert strange({"proxy": {"replica": 2}, "etcd": {"replicaCount": "3"}}, CHART) == [
        "proxy.replica", "etcd.replicaCount",
    ]  # fmt: skip


def test_one_of_anything_may_be_lost(values):
    for role in ("mixCoordinator", "proxy", "queryNode", "dataNode", "indexNode"):
        assert values[role]["replicas"] >= 2, role
    assert values["mixCoordinator"]["activeStandby"]["enabled"]
    assert values["etcd"]["replicaCount"] >= 3
    assert values["etcd"]["replicaCount"] % 2 == 1
    assert values["minio"]["mode"] == "distributed"
    assert yaml.safe_load(values["extraConfigFiles"]["user.yaml"])["common"]["session"]["ttl"] == 30


def probe(fields):
    return HealthProbe(
        fields["periodSeconds"],
        fields["timeoutSeconds"],
        fields["failureThreshold"],
        fields["initialDelaySeconds"],
        fields["successThreshold"],
    )


def test_the_probes_notice_when_the_comments_say(values):
    liveness, readiness = probe(values["livenessProbe"]), probe(values["readinessProbe"])
    assert liveness.successes == 1
    text = (FOLDER / "values.yaml").read_text()
    assert f"= {detection(liveness, 'hang').most:g} s at most" in text
    assert f"out of service after {detection(readiness, 'hang').most:g} s at most" in text
    assert detection(readiness, "hang").most < detection(liveness, "hang").least


def test_every_alert_says_what_is_wrong_and_what_to_do(rules):
    assert len({rule["alert"] for rule in rules}) == len(rules) >= 6
    for rule in rules:
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert set(rule["annotations"]) == {"summary", "action"}


def test_prometheus_takes_the_rules():
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("needs promtool, of Debian's package prometheus")
    ran = subprocess.run(
        [promtool, "check", "rules", str(FOLDER / "alerts.yaml")], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "7 rules found" in ran.stdout
