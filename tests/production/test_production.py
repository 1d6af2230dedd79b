"""What a learner takes home from lesson 9: values for Milvus' chart, and alert rules. Nothing is installed
here."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from halab.course.paths import course_root
from halab.models.health_probes import HealthProbe, detection
from halab.monitoring.dashboard import panels
from halab.monitoring.servers import rule_files
from production import read_chart

FOLDER = course_root() / "docs" / "production"

# What the chart takes, at each place that ours set: it ignores a key that it does not know, and nobody would
# notice a slip. And what Helm makes of ours. The file says how it was read.
RECORD = json.loads(read_chart.RECORD.read_text())
CHART = RECORD["keys"]
# The label `component` of each role's pods in that chart.
COMPONENTS = {
    "mixCoordinator": "mixcoord",
    "proxy": "proxy",
    "queryNode": "querynode",
    "streamingNode": "streamingnode",
    "dataNode": "datanode",
}


def strange(values, path=""):
    """What the chart does not know, or has another type, by its path."""
    known = CHART.get(path or ".", {})
    for key, value in values.items():
        below = f"{path}.{key}".lstrip(".")
        if key not in known or type(value).__name__ != known[key]:
            yield below
        elif isinstance(value, dict) and below in CHART:
            yield from strange(value, below)


# Who has which metric, by version of Milvus, and where that was read.
METRICS = yaml.safe_load((FOLDER / "metrics.yaml").read_text())
_METRIC = re.compile(r"\b(?:milvus|etcd|halab|kube|container)_[a-z_0-9]+\b")


def named_metrics():
    """Every metric that a rule or the dashboard asks for."""
    files = {*rule_files(), *(FOLDER / name for name in FILES)}
    rules = [rule for path in files for rule in rules_of(path)]
    dashboard = [expression for panel in panels() for expression, _ in panel.expressions]
    return set(_METRIC.findall(" ".join([*(rule["expr"] for rule in rules), *dashboard])))


def rules_of(path):
    return [rule for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]]


@pytest.fixture(scope="module")
def values():
    return yaml.safe_load((FOLDER / "values.yaml").read_text())


@pytest.fixture(scope="module")
def zones():
    return yaml.safe_load((FOLDER / "zones.yaml").read_text())


FILES = ("alerts.yaml", "alerts-kubernetes.yaml", "alerts-quota.yaml")


@pytest.fixture(scope="module")
def rules():
    return {rule["alert"]: rule for name in FILES for rule in rules_of(FOLDER / name)}


def test_the_chart_knows_every_key(values, zones):
    assert list(strange(values)) == list(strange(zones)) == []
    slips = {"proxy": {"replica": 2}, "etcd": {"replicaCount": "3"}, "queryNodes": {}}
    assert list(strange(slips)) == ["proxy.replica", "etcd.replicaCount", "queryNodes"]


@pytest.mark.parametrize("role", ["queryNode", "streamingNode", "mixCoordinator", "proxy"])
def test_kubernetes_takes_what_the_chart_hands_on(values, zones, role):
    """As Helm merges them: lists are replaced, and maps are not."""
    container = {"name": "milvus", "image": "milvus", "resources": values[role]["resources"]}
    spec = {"containers": [container], "affinity": values[role]["affinity"]}
    more = dict(zones[role])
    affinity = more.pop("affinity", {})
    for kind, terms in affinity.items():
        spec["affinity"] = {**spec["affinity"], kind: {**spec["affinity"].get(kind, {}), **terms}}
    spec["topologySpreadConstraints"] = more.get("topologySpreadConstraints", [])
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": role.lower()}, "spec": spec}
    kubernetes_validate.validate(pod, "1.31", strict=True)


@pytest.mark.parametrize("name", read_chart.SETS)
def test_what_was_rendered_was_rendered_from_the_values_as_they_are(name):
    values = read_chart.merged(read_chart.SETS[name])
    assert RECORD["rendered"][name]["digest"] == read_chart.digest(values), "run read_chart.py, and commit"


@pytest.mark.parametrize("name", read_chart.SETS)
def test_whoever_serves_was_rendered_with_a_spare_apart_from_its_like_and_a_budget(name):
    rendered = RECORD["rendered"][name]
    ours = yaml.safe_load_all((FOLDER / "disruption-budgets.yaml").read_text())
    budgets = [*(budget["spec"]["selector"]["matchLabels"] for budget in ours),
               *rendered["PodDisruptionBudget"].values()]  # fmt: skip
    for workload, facts in rendered["workloads"].items():
        if workload.endswith("-recovery"):  # Pulsar's repair of what lost a bookie: nobody waits for it
            continue
        assert facts["replicas"] >= 2, workload
        assert any("kubernetes.io/hostname" in keys for keys in facts["apart"].values()), workload
        labels = facts["labels"].items()
        if facts["labels"].get("component") != "datanode":
            assert any(budget.items() <= labels for budget in budgets), workload
        if facts["image"].startswith("milvusdb/milvus:"):
            assert facts["probes"] == {"livenessProbe": ["tcpSocket"], "readinessProbe": ["httpGet"]}
            assert facts["grace"] is None  # Kubernetes' 30 s, as the comment at queryNode says
    assert rendered["user.yaml"]["common"]["session"]["ttl"] == 30
    assert re.fullmatch(".*milvus.*", f"default/{next(iter(rendered['PodMonitor']))}")  # the rules' job


def test_each_zone_has_query_nodes_and_streaming_nodes_of_its_own(zones):
    workloads = RECORD["rendered"]["zones"]["workloads"]
    for group in zones["replicaResourceGroups"]:
        for role in ("querynode", "streamingnode"):
            apart = workloads[f"my-milvus-{role}-{group}"]["apart"]
            assert apart["requiredDuringSchedulingIgnoredDuringExecution"] == ["topology.kubernetes.io/zone"]
    assert workloads["my-milvus-etcd"]["spread"] == ["topology.kubernetes.io/zone"]


def test_a_zone_s_group_has_a_name_that_milvus_and_kubernetes_take_and_two_nodes(zones):
    groups = zones["replicaResourceGroups"]
    assert len(groups) == len(set(groups)) >= 2
    assert all(re.fullmatch(r"[a-z][a-z0-9]*", group) for group in groups)
    assert zones["queryNode"]["replicas"] >= 2
    assert zones["streamingNode"]["replicas"] >= 2


def test_one_process_of_any_kind_may_be_lost_and_its_like_stands_on_another_node(values):
    for role, component in COMPONENTS.items():
        assert values[role]["replicas"] >= 2, role
        (rule,) = values[role]["affinity"]["podAntiAffinity"].values()
        term = rule[0]["podAffinityTerm"]
        assert term["labelSelector"]["matchLabels"]["component"] == component
        assert term["topologyKey"] == "kubernetes.io/hostname"
    assert values["mixCoordinator"]["activeStandby"]["enabled"]
    assert values["etcd"]["replicaCount"] == 3
    assert values["etcd"]["podAntiAffinityPreset"] == "hard"
    assert all(part["affinity"]["anti_affinity"] for part in values["pulsarv3"].values())
    assert yaml.safe_load(values["extraConfigFiles"]["user.yaml"])["common"]["session"]["ttl"] == 30


def test_what_the_rules_ask_is_collected(values):
    assert values["metrics"]["serviceMonitor"]["enabled"]
    assert values["etcd"]["metrics"]["enabled"]
    assert values["etcd"]["metrics"]["podMonitor"]["enabled"]


def test_each_role_that_serves_has_a_budget():
    budgets = list(yaml.safe_load_all((FOLDER / "disruption-budgets.yaml").read_text()))
    for budget in budgets:
        kubernetes_validate.validate(budget, "1.31", strict=True)
        assert budget["spec"]["maxUnavailable"] == 1
    components = {budget["spec"]["selector"]["matchLabels"]["component"] for budget in budgets}
    assert components == set(COMPONENTS.values()) - {"datanode"}


def probe(fields):
    return HealthProbe(
        fields["periodSeconds"],
        fields["timeoutSeconds"],
        fields["failureThreshold"],
        fields["initialDelaySeconds"],
        fields["successThreshold"],
    )


def test_readiness_notices_a_hang_when_the_comment_says_and_liveness_promises_nothing(values):
    """The chart's liveness is tcpSocket since 4.2.38: on a hung process it passes for ever (lesson 9)."""
    text = " ".join((FOLDER / "values.yaml").read_text().replace("\n# ", " ").split())
    readiness = probe(values["readinessProbe"])
    assert f"out of service after {detection(readiness, 'hang').most:g} s at most" in text
    assert "A hang is never noticed by it" in text
    assert probe(values["livenessProbe"]).successes == 1


def test_the_comments_of_what_lesson_9_prints_fit_its_page():
    lines = (FOLDER / "values.yaml").read_text().splitlines()
    assert not [line for line in lines if line.lstrip().startswith("#") and len(line) > 90]


def test_the_table_of_metrics_says_of_each_where_it_was_read():
    assert set(METRICS) == named_metrics()
    for name, facts in METRICS.items():
        assert facts.keys() & {"seen", "where"}, name
        assert ("versions" in facts) == name.startswith("milvus_"), name


def test_every_alert_says_what_is_wrong_and_what_to_do(rules):
    for rule in rules.values():
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert set(rule["annotations"]) == {"summary", "action"}


@pytest.fixture
def promtool():
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("needs promtool, of Debian's package prometheus")

    def run(*words, cwd=FOLDER):
        ran = subprocess.run([program, *words], cwd=cwd, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr

    return run


def test_prometheus_takes_the_rules(promtool):
    promtool("check", "rules", *FILES)


def filled(text, labels):
    return re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda each: labels[each[1]], text)


def test_each_rule_fires_for_what_it_is_for_and_for_nothing_else(promtool, rules, tmp_path):
    for name in FILES:
        shutil.copy(FOLDER / name, tmp_path)
    tests = yaml.safe_load(Path(__file__).with_name("rules.yaml").read_text())
    fired = set()
    for check in tests["tests"]:
        for case in check.get("alert_rule_test", ()):
            for alert in case["exp_alerts"]:
                alert["exp_annotations"] = {
                    name: filled(text, alert["exp_labels"])
                    for name, text in rules[case["alertname"]]["annotations"].items()
                }
                fired.add(case["alertname"])
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(tests))
    promtool("test", "rules", "rules.yaml", cwd=tmp_path)
    assert fired == set(rules)
