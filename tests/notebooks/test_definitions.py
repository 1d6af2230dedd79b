"""Each lesson shows one definition in a cell of its own, and it says what the library's says."""

import math
import random
from collections.abc import Callable
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from halab.course.paths import course_root
from halab.lessons import failover_timeline
from halab.measure.experiments.disaster import loss
from halab.measure.journal.journal_file import Journal, RowCount
from halab.measure.journal.outage import rto as measured_rto
from halab.models import availability_slo, health_probes, quorum, replication, retention, survival, topology
from halab.models.capacity import Usl
from halab.models.samples import Outcome, Sample
from halab.protect.drill.drill_report import DrillReport
from halab.protect.drill.runbook import Facts, Record, State, Targets

JOURNAL = Journal.load(course_root() / "docs" / "failover.jsonl")


def defined(lesson: str, cell: str) -> Callable[..., Any]:
    """The function that a lesson's cell defines; the last one if it defines several."""
    (path,) = (course_root() / "course").glob(f"{lesson}-*.ipynb")
    source = next(one.source for one in nbformat.read(path, as_version=4).cells if one.id == cell)
    names: dict[str, Any] = {"lesson": failover_timeline}
    exec(compile(source, f"{path.name}:{cell}", "exec"), names)
    return [value for name, value in names.items() if callable(value) and not name.startswith("__")][-1]


@given(st.fixed_dictionaries({role: st.integers(1, 4) for role in ("proxy", "rootcoord", "querycoord",
    "datacoord", "querynode", "datanode", "etcd", "log", "objectstore")}))  # fmt: skip
def test_single_points(counts: dict[str, int]) -> None:
    single_points = defined("01", "works")
    parts = survival.members(counts)
    made = survival.as_topology(parts)
    for operation, roles in made.operations.items():
        needs = {role: made.roles[role].least for role in roles}
        found = single_points(needs, {part.name: part.role for part in parts})
        assert set(found) == topology.single_points(made, operation)


@given(st.lists(st.sampled_from([*Outcome]), min_size=1), st.floats(0, 0.99999))
def test_burn_rate(outcomes: list[Outcome], slo: float) -> None:
    bad = sum(outcome is not Outcome.OK for outcome in outcomes) / len(outcomes)
    assert defined("02", "burn-rate-defined")(outcomes, slo) == availability_slo.burn_rate(bad, slo)


@given(st.integers(1, 101))
def test_majorities(members: int) -> None:
    losses_survived = defined("03", "can-decide")
    assert losses_survived(members) == quorum.tolerates(members)
    can_decide = losses_survived.__globals__["can_decide"]
    for lost in range(members + 1):
        assert can_decide(members, lost) == quorum.holds(members, members - lost)


@pytest.mark.parametrize(("copies", "needed"), [(1, 1), (3, 1), (3, 2), (3, 3), (5, 3)])
def test_what_a_write_waits_for(copies: int, needed: int) -> None:
    copy = replication.Copy(10, 10)
    drawn = replication.draws(copy, (40_000, copies), seed=copies)
    acknowledged = defined("04", "acknowledged")
    mean = math.fsum(acknowledged(times, needed) for times in drawn) / len(drawn)
    assert mean == pytest.approx(replication.kth_fastest(copy, copies, needed), rel=0.02)


@given(st.integers(1, 50), st.floats(1, 1e4), st.floats(0, 1), st.floats(0, 1))
def test_the_scalability_law(nodes: int, one: float, contention: float, coherence: float) -> None:
    rate = defined("05", "model-law")(nodes, one, contention, coherence)
    assert rate == pytest.approx(Usl(one, contention, coherence).rate(nodes))


# Sixteenths of a second are exact as floats, so no rounding decides what lasts two seconds.
@given(st.lists(st.sampled_from([*Outcome]), min_size=1, max_size=120), st.integers(0, 60), st.integers(0, 8))
def test_rto(outcomes: list[Outcome], fault: int, late: int) -> None:
    samples = [
        Sample("search", n, n / 16, n / 16, (n + late) / 16, outcome) for n, outcome in enumerate(outcomes)
    ]
    assert defined("06", "rto")(samples, fault / 16) == (measured_rto(samples, fault / 16) or 0.0)


@pytest.mark.parametrize("operation", JOURNAL.header.operations)
def test_rto_of_a_real_failover(operation: str) -> None:
    samples, fault = JOURNAL.samples(operation), JOURNAL.faults[0].at
    assert defined("06", "rto")(samples, fault) == pytest.approx(measured_rto(samples, fault) or 0.0)


def test_rpo_of_a_real_failover_and_of_the_same_with_rows_gone() -> None:
    rpo, fault = defined("07", "rpo"), JOURNAL.faults[0].at
    times = {s.key: s.done for s in JOURNAL.samples("insert") if s.outcome is Outcome.OK}
    assert JOURNAL.count is not None
    assert rpo(times, set(times), fault) == (len(JOURNAL.count.missing), 0.0)
    chance = random.Random(7)
    for _ in range(20):
        gone = tuple(chance.sample(sorted(times), chance.randrange(1, len(times))))
        journal = JOURNAL.extended(count=RowCount(len(times), 0, 0, len(times) - len(gone), gone))
        rows, seconds = rpo(times, set(times) - set(gone), fault)
        found = loss(journal)
        assert (rows, seconds) == (found.missing, pytest.approx(found.window))


@given(st.sets(st.integers(0, 800)), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
def test_backups_to_keep(days: set[int], daily: int, weekly: int, monthly: int) -> None:
    keep = defined("08", "backups-to-keep")
    if daily or weekly or monthly:
        moments = [day * 86_400.0 for day in days]
        wanted = retention.keep(moments, retention.Retention(daily, weekly, monthly))
        assert keep(days, daily, weekly, monthly) == [moment / 86_400 for moment in wanted]


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 9), st.booleans())
def test_detection(period: int, timeout: int, failures: int, hang: bool) -> None:
    span = health_probes.detection(
        health_probes.HealthProbe(period, timeout, failures), "hang" if hang else "crash"
    )
    assert defined("09", "formula")(period, timeout, failures, hang) == (span.least, span.most)


@given(
    st.lists(st.sampled_from(["done", "done", "done", "failed", "undone"]), min_size=1, max_size=8),
    st.floats(0, 120),
    st.floats(0, 120),
)
def test_the_verdict_of_a_drill(results: list[Any], rto: float, rpo: float) -> None:
    records = [Record(f"step {n}", f"Step {n}", "", 10.0, status=one) for n, one in enumerate(results)]
    state = State(
        "a drill", "2026-01-01T00:00:00+00:00", 0.0, records, Facts(rto=rto, rpo=rpo, targets=Targets(60, 60))
    )
    report = DrillReport.of(state)
    steps = {record.title: record.status for record in records}
    said = defined("10", "verdict")(steps, {"RTO": rto, "RPO": rpo}, {"RTO": 60, "RPO": 60})
    assert said.startswith("not passed") == report.verdict.startswith("Not passed")
    assert said.startswith("passed, but not within") == report.verdict.startswith(
        "Passed, with targets missed"
    )
    assert (said == "passed") == (report.verdict == "Passed, and both targets were met.")
