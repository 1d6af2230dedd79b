"""Lesson 5 from top to bottom, without a front end: on the real cluster, and simulated."""

import pytest

from halab.measure.experiments.behind_balancer import KEPT_CONNECTIONS, NEW_CONNECTIONS, NO_BALANCER
from halab.measure.experiments.load import CLIENT, MACHINE
from halab.measure.experiments.read_scaling import scaling
from halab.measure.journal.experiment_name import experiment_of
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.journal_parts import connections
from halab.models.samples import Outcome

pytestmark = [pytest.mark.notebook, pytest.mark.timeout(600)]
SLUG = "05-reading"
SHORT = """
shared = lesson.reading(cluster, repeats=2, seconds=1, warm_up=0.5, rows=5000)
lesson.keep(shared, 5)
"""
LIMITED = """
limited = lesson.reading(cluster, limit=lesson.Limit(share=0.2), repeats=2, seconds=1, warm_up=0.5, rows=5000)
lesson.keep(limited, 5)
"""

CROWD = """
if retriever:
    met = lesson.connection_spread(cluster, retriever=retriever, clients=4, asking=12)
    lesson.keep(met, 5)
    display(lesson.compare_connection_spread(met))
"""
CRASH = """
if retriever:
    times = dict(before=1, seconds=3, after=1, rate=20)
    killed = lesson.probe_behind_balancer(cluster, "crash proxy-1", retriever=retriever, **times)
    lesson.keep(killed, 5)
    display(lesson.compare_crash(killed), lesson.plot(killed))
"""
CELLS = {"run": SHORT, "run-limited": LIMITED, "run-crowd": CROWD, "run-crash": CRASH}


@pytest.fixture(scope="module")
def measured(run_real) -> list[Journal]:
    """What the lesson measured on the real cluster: without a speed limit, with it, and behind a balancer."""
    lesson, found, _ = run_real(SLUG, CELLS)
    shown = "\n".join(str(cell.get("outputs", "")) for cell in lesson.cells if cell.id == "compare-reads")
    assert "SPEED LIMIT" in shown
    return found


def test_the_lesson_runs_simulated_and_says_so(run_lesson, tmp_path) -> None:
    lesson, found = run_lesson(tmp_path, "simulated", SLUG, language="zh")
    assert [one.simulated for one in found] == [True, True]
    shown = {cell.id: str(cell.get("outputs", "")) for cell in lesson.cells}
    for cell in ("scaling", "scaling-limited", "law-curve", "compare-reads"):
        assert "模拟" in shown[cell], cell
    assert "限速" in shown["scaling-limited"]
    assert "模拟引擎里没有均衡器" in shown["balancer-here"]


@pytest.mark.alone
@pytest.mark.cluster
def test_every_search_was_answered_with_and_without_the_limit(measured: list[Journal]) -> None:
    shared, limited = measured[:2]
    assert experiment_of(shared) == "search with 1, 2, 3 replicas"
    assert experiment_of(limited).endswith("query nodes limited to 20% of the time")
    assert any("SPEED LIMIT" in note for note in limited.notes)
    for journal in measured[:2]:
        assert not journal.simulated
        bad = [one for one in journal.samples() if one.outcome is not Outcome.OK]
        assert len(bad) <= len(journal.samples()) / 100
        assert {CLIENT, MACHINE, "proxy-1", "querynode-1"} <= set(journal.phases[-1].usage)


@pytest.mark.alone
@pytest.mark.cluster
def test_replicas_that_share_two_cores_do_not_give_three_times_as_much(measured: list[Journal]) -> None:
    for journal in measured[:2]:
        one, _, three = scaling(journal, beyond=()).rows
        assert one.rate is not None
        assert three.ratio is not None
        assert one.rate.median > 5
        assert three.ratio.low < 3.5  # wide: a busy machine scatters, and no replica gives more than itself


@pytest.mark.cluster
@pytest.mark.usefixtures("haproxy")
def test_a_balancer_deals_out_connections_and_helps_those_whose_proxy_was_killed(
    measured: list[Journal],
) -> None:
    met, killed = measured[2:]
    by_strategy = {phase.name: sorted(phase.figures.values()) for phase in met.phases}
    assert by_strategy["roundrobin"] == [0, 4]
    assert by_strategy["leastconn"] == [2, 2]
    assert by_strategy["one connection"] == [0, 1]
    counts = connections(killed)
    assert sum(steps[-1][1] for steps in counts.values()) == counts["proxy-2"][-1][1] == 8

    def bad(name: str) -> int:
        return sum(one.outcome is not Outcome.OK for one in killed.samples(name))

    assert max(bad(KEPT_CONNECTIONS), bad(NEW_CONNECTIONS)) < bad(NO_BALANCER)
