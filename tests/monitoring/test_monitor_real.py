"""Production's rules beside a real cluster: what is paged, by which metrics, and what is left afterwards."""

import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
from pymilvus import MilvusClient

from halab.cluster.embedded import embedded_cluster
from halab.course.paths import course_root
from halab.measure.experiments.disk_quota import full_disk
from halab.models.milvus_versions import COURSE
from halab.monitoring.canary import COLLECTION, ROWS
from halab.monitoring.monitor import monitor
from production.test_production import METRICS

pytestmark = [pytest.mark.cluster]


@pytest.fixture(scope="module")
def cluster(real_home):
    with embedded_cluster.start("watched", "ha", 10) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def watch(cluster):
    with monitor(cluster, replicas=2) as watch:
        yield watch


@pytest.fixture(scope="module")
def began(watch):
    return time.monotonic()


def test_every_metric_that_the_table_gives_to_this_cluster_is_in_its_scrapes(watch, began):
    wanted = {
        name for name, facts in METRICS.items() if "seen" in facts or COURSE in facts.get("versions", ())
    }
    until = time.monotonic() + 60
    while missing := {name for name in wanted if not watch.query(f"count({name})")}:
        assert time.monotonic() < until, missing
        time.sleep(0.5)


def test_nothing_outlives_its_owner_however_it_ends(cluster, began):
    code = (
        "import sys, time\n"
        "from halab.cluster import attach_cluster\n"
        "from halab.monitoring.monitor import monitor\n"
        "with monitor(attach_cluster(sys.argv[1]), replicas=2) as watch:\n"
        "    print(watch.prometheus, flush=True)\n"
        "    time.sleep(600)\n"
    )
    owner = subprocess.Popen([sys.executable, "-c", code, cluster.name], stdout=subprocess.PIPE, text=True)
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


def test_two_minutes_of_health_page_nobody(watch, began):
    time.sleep(max(0.0, began + 120 - time.monotonic()))
    assert not watch.inbox.messages, watch.inbox


def test_a_lost_standby_a_lost_node_refused_writes_and_lost_rows_are_told_apart(watch, cluster):
    """All at once, to wait once. The rows are the canary's own, and no counter of Milvus sees that they are
    gone; nor that writes are refused, for which there is a rule of its own."""
    watch.use_rules((course_root() / "docs" / "production" / "alerts-quota.yaml").read_text())
    client = MilvusClient(cluster.uri, timeout=60)
    client.delete(COLLECTION, ids=list(range(ROWS)))
    client.close()
    with ExitStack() as losses:
        assert "disk quota exceeded" in losses.enter_context(full_disk(cluster))
        for target in ("standby rootcoord", "querynode-1"):
            losses.callback(cluster.inject("crash", target).undo)
        ticket = watch.wait_for("MilvusNoStandby", 100)
        other = watch.wait_for("MilvusMemberMissing", 100)
        refused = watch.wait_for("MilvusRefusesWrites", 100)
    assert (ticket.severity, ticket.about, other.about) == ("ticket", "rootcoord", "querynode")
    for sent in (ticket, other, refused):
        assert watch.wait_for(sent.alert, 100, resolved=True).resolved > sent.arrived
    watch.wait_for("MilvusFindsNothing", 200)
    assert watch.canary.last.answered
    assert "MilvusRequestsFail" not in [each.alert for each in watch.inbox.messages]


def test_a_log_that_hangs_is_paged_and_resolved_while_every_healthz_is_green(watch, cluster):
    with cluster.fault("hang", "log"):
        message = watch.wait_for("MilvusLogStandsStill", 150)
        assert all(part.health == "healthy" for part in cluster.components() if part.role != "log")
    assert message.severity == "page"
    assert watch.wait_for("MilvusLogStandsStill", 120, resolved=True).resolved > message.arrived
