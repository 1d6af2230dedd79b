"""Journals of a load: kept, checked, counted by the board, and read back as a table."""

import os
from datetime import UTC, datetime

import pytest

from halab.certificate.evidence import measurement
from halab.errors import JournalError, MeasurementError
from halab.measure.experiments.load import CLIENT, MACHINE, rate
from halab.measure.experiments.throughput import (
    TimeLeft,
    _closed,
    _open,
    _repeat,
    shuffled,
    speeds,
    throughput,
)
from halab.measure.journal.experiment_name import experiment_of, load_of
from halab.measure.journal.journal_file import Header, Journal, Phase
from halab.models.samples import Outcome, Sample
from support.paced_service import PacedOperation
from support.scripted_milvus import ScriptedCluster


def made(*, simulated=False, rates=None, busy=0.2):
    """Two repeats of a second for each number of replicas; answers take 5 ms."""
    phases, samples = [], []
    at = 1.0
    for replicas, repeats in (rates or {1: (100, 110), 3: (90, 100)}).items():
        for repeat, count in enumerate(repeats):
            usage = {
                "querynode-1": {"cores": 0.25, "memory": 1e8},
                "querynode-2": {"cores": 0.5, "memory": 1e8},
                CLIENT: {"cores": busy, "memory": 1e8},
                MACHINE: {"cores": 1.0, "memory": 4e9},
            }
            settings = {"replicas": replicas, "repeat": repeat, "batch": 1, "clients": 4}
            phases.append(Phase("search", at, at + 1, settings, {}, usage))
            samples += [
                Sample("search", n, at + n / count, at + n / count, at + n / count + 0.005, Outcome.OK)
                for n in range(count)
            ]
            at += 2.0
    header = Header(
        "lab", "simulated" if simulated else "embedded", "ha", 10.0, {"milvus": "2.3.5"}, 0, {"cores": 2},
        datetime.now(UTC).isoformat(), 50.0, 1.0, ("search",), {"search": 1.0}, simulated,
    )  # fmt: skip
    return Journal.write(header, samples=samples, phases=phases)


def test_phases_are_part_of_the_chain_and_come_back_as_they_were(tmp_path):
    journal = made()
    path = journal.save(tmp_path / "load.jsonl")
    assert Journal.load(path).phases == journal.phases
    assert journal.extended(notes=["a note"]).phases == journal.phases
    path.write_text(path.read_text().replace('"replicas":3', '"replicas":2', 1))
    with pytest.raises(JournalError):
        Journal.load(path)


def test_a_kept_load_counts_as_a_measurement_and_a_simulated_one_does_not(tmp_path):
    journal = made()
    found = measurement(journal.save(tmp_path / "04-load.jsonl"), 4)
    assert (found.experiment, found.pin.probes) == ("search with 1, 3 replicas", 400)
    assert found.searches.operation == "search"
    assert "simulation" in measurement(made(simulated=True).save(tmp_path / "04-model.jsonl"), 4).in_("en")
    assert experiment_of(journal) == load_of(journal)


def test_the_table_tells_speed_spread_latency_and_who_was_busy():
    table = speeds(made())
    assert [row.replicas for row in table.rows] == [1, 3]
    # The last answer of a second may come after its end.
    assert table.rows[0].rate.median == pytest.approx(105, abs=1)
    assert table.rows[0].rate.low < table.rows[0].rate.median < table.rows[0].rate.high
    assert table.rows[1].p99 == pytest.approx(0.005, abs=1e-4)
    assert table.rows[1].query_nodes == pytest.approx(0.75)
    assert "pace" not in repr(table)
    assert "4 clients" in table._repr_html_()
    assert "the client was busy" in repr(speeds(made(busy=0.97)))
    assert repr(speeds(made(simulated=True))).startswith("SIMULATED")
    assert "once, no range" in repr(speeds(made(rates={2: (50,)})))


def test_the_order_is_random_and_every_repeat_has_each_number_once():
    order = shuffled((1, 2, 3), 20, 0)
    assert len(order) == 60
    assert all(sorted(n for n, each in order if each == repeat) == [1, 2, 3] for repeat in range(20))
    assert len({tuple(n for n, each in order if each == repeat) for repeat in range(20)}) > 3
    assert shuffled((1, 2, 3), 20, 0) == order


def test_a_journal_without_a_load_has_no_speeds(journal, samples):
    with pytest.raises(MeasurementError, match="no load"):
        speeds(journal(samples("....")))


@pytest.mark.parametrize("wrong", [{"replicas": ()}, {"replicas": (0, 1)}, {"repeats": 0}, {"seconds": 0}])
def test_a_load_of_nothing_is_refused(wrong):
    import halab

    with halab.cluster(engine="simulated") as cluster, pytest.raises(MeasurementError, match="above 0"):
        throughput(cluster, "read", **wrong)


def test_a_search_needs_rows_to_find():
    import halab

    with halab.cluster(engine="simulated") as cluster, pytest.raises(MeasurementError, match="rows to find"):
        throughput(cluster, "read", rows=0)


def test_a_simulated_cluster_has_no_speed():
    import halab

    with halab.cluster(engine="simulated") as cluster, pytest.raises(MeasurementError, match="no speed"):
        throughput(cluster, "read")


class Alone:
    """What a repeat needs of the collections: a clock, and processes to watch."""

    def __init__(self):
        self.cluster = ScriptedCluster()

    def processes(self):
        return {"querynode-1": os.getpid()}


@pytest.mark.parametrize(("loop", "least", "most"), [(_closed(2), 30, 100), (_open(40), 20, 42)])
def test_a_repeat_warms_up_first_and_finds_the_speed(loop, least, most):
    service = PacedOperation(0.02, 2)
    settings = {"replicas": 1}
    phase, samples = _repeat(service, loop, Alone(), settings, 0.3, 0.6, 5.0)
    assert phase.end - phase.start == pytest.approx(0.6)
    assert min(one.intended for one in samples) >= phase.start
    assert least < rate(samples, phase) <= 1.05 * most
    assert {"querynode-1", CLIENT, MACHINE} == set(phase.usage)


def test_the_time_left_is_told_from_what_was_taken(capsys):
    left = TimeLeft(3)
    left.preparing("making ready")
    for step in ("one", "two", "three"):
        left(step)
    left.done()
    assert [line.split()[-1] for line in capsys.readouterr().out.splitlines()] == [
        "ready", "one", "two", "three", "done",
    ]  # fmt: skip
