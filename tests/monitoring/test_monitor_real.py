"""Production's rules beside a real cluster: what is paged, by which metrics, and what is left afterwards."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import yaml
from pymilvus import MilvusClient

from halab.folders import course_root
from halab.monitoring.canary import COLLECTION, ROWS
from halab.monitoring.monitor import monitor
from halab.monitoring.servers import rule_files
from production.test_production import ELSEWHERE

pytestmark = [pytest.mark.cluster]

METRIC = re.compile(r"\b(?:milvus|etcd|halab|kube)_[a-z_0-9]+\b")


@pytest.fixture(scope="module")
def watch(small):
    with monitor(small) as watch:
        yield watch


def named_metrics():
    """Every metric that a rule or the dashboard asks for."""
    for path in rule_files():
        for group in yaml.safe_load(path.read_text())["groups"]:
            for rule in group["rules"]:
                yield from METRIC.findall(rule["expr"])
    dashboard = course_root() / "compose" / "monitoring" / "dashboards" / "milvus.json"
    for panel in json.loads(dashboard.read_text())["panels"]:
        for target in panel["targets"]:
            yield from METRIC.findall(target["expr"])


def test_every_metric_that_is_asked_for_is_one_that_somebody_has(watch):
    wanted = set(named_metrics()) - set(ELSEWHERE)
    assert wanted >= {"milvus_proxy_req_count", "milvus_datanode_msg_dispatcher_tt_lag_ms"}
    until = time.monotonic() + 60
    while missing := {name for name in wanted if not watch.query(f"count({name})")}:
        assert time.monotonic() < until, missing
        time.sleep(0.5)


def test_answers_without_a_hit_are_seen_by_the_canary_and_by_nobody_else(watch, small):
    small.wait_healthy()
    client = MilvusClient(small.uri, timeout=60)
    client.delete(COLLECTION, ids=list(range(ROWS)))
    watch.wait_for("MilvusFindsNothing", 200)
    assert watch.canary.last.answered
    assert "MilvusRequestsFail" not in [message.alert for message in watch.inbox.messages]
    client.close()
    watch.canary.prepare()


def test_a_log_that_hangs_is_paged_and_resolved_while_every_healthz_is_green(watch, small):
    with small.fault("hang", "log"):
        message = watch.wait_for("MilvusLogStandsStill", 150)
        assert all(part.health == "healthy" for part in small.components() if part.role != "log")
    assert message.severity == "page"
    assert watch.wait_for("MilvusLogStandsStill", 120, resolved=True).resolved > message.arrived


def test_nothing_outlives_its_owner_however_it_ends(small):
    code = (
        "import sys, time\n"
        "from halab.cluster import attach_cluster\n"
        "from halab.monitoring.monitor import monitor\n"
        "with monitor(attach_cluster(sys.argv[1])) as watch:\n"
        "    print(watch.prometheus, flush=True)\n"
        "    time.sleep(600)\n"
    )
    owner = subprocess.Popen([sys.executable, "-c", code, small.name], stdout=subprocess.PIPE, text=True)
    with owner.stdout as told:
        assert told.readline().startswith("http://127.0.0.1:")
    family = psutil.Process(owner.pid).children(recursive=True)
    programs = [process for process in family if "prometheus" in process.name() or "alertm" in process.name()]
    folders = {
        Path(word.partition("=")[2]).parent
        for process in programs for word in process.cmdline() if word.startswith("--config.file=")
    }  # fmt: skip
    assert len(programs) == 2
    assert len(folders) == 1
    owner.kill()
    owner.wait()
    _, alive = psutil.wait_procs(family, timeout=20)
    assert not alive
    until = time.monotonic() + 10
    while any(folder.exists() for folder in folders):
        assert time.monotonic() < until
        time.sleep(0.1)
