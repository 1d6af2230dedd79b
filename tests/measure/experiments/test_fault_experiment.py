import time
from datetime import datetime
from types import SimpleNamespace

import pytest

from halab.cluster.simulated import SimulatedCluster
from halab.errors import HalabError, MeasurementError, NotReady, TargetError
from halab.measure.experiments import experiment_steps
from halab.measure.experiments.fault_experiment import experiment, journal_name, parse_fault, probe_and_save
from halab.measure.journal.journal_file import Journal, RowCount
from halab.measure.journal.outage import outages
from halab.measure.probing.retriever import Retriever
from support.scripted_milvus import Script, ScriptedCluster, ScriptedOperation, Spell


class BreakableCluster(ScriptedCluster):
    """A real-time fake whose one fault makes its script answer errors."""

    def __init__(self, heals=True):
        super().__init__()
        self.script = Script([])
        self.script.begin()
        self.heals = heals

    def resolve(self, target):
        if target == "nobody":
            raise TargetError("there is no nobody")
        return SimpleNamespace(name="rootcoord-1")

    def inject(self, kind, target):
        fault = SimpleNamespace(
            kind=kind, target=target, component="rootcoord-1", at=self.now(), undone_at=None
        )
        fault.undo = lambda: setattr(fault, "undone_at", self.now())
        at = time.monotonic() - self.script.began
        self.script.spells = (Spell(at, at + (0.3 if self.heals else 60.0), "error"),)
        return fault

    def wait_healthy(self, timeout=60.0):
        if self.script.spells and not self.heals:
            raise NotReady("Awaited every component healthy")
        return 0.0

    def components(self):
        return [SimpleNamespace(name="rootcoord-1", health="healthy")]


class FakeRetriever:
    def __init__(self, cluster, count=None, calm=True):
        self.cluster = cluster
        self.counted = count or RowCount(1, 0, 0, 1)
        self.calm = calm

    def wait_until_searchable(self):
        return self.calm

    def operations(self):
        operation = ScriptedOperation("insert", self.cluster.script)
        send = operation.send
        operation.send = lambda number, deadline, done: (send(number, deadline, done), number)[1]
        return [operation]

    def count(self, samples=None, timeout=0.0):
        if isinstance(self.counted, Exception):
            raise self.counted
        return self.counted


SHORT = {"before": 0.2, "seconds": 0.5, "after": 0.4, "deadline": 0.2, "progress": False}
BRIEF = SHORT | {"before": 0.1, "seconds": 0.2, "after": 0.1}  # where no outage has to end


def test_what_the_last_fault_left_behind_is_told():
    cluster = BreakableCluster()
    notes = []
    for calm in (True, False):
        retriever = FakeRetriever(cluster, calm=calm)
        notes.append(" ".join(experiment(cluster, "crash proxy", retriever=retriever, **BRIEF).notes))
    assert "even before" not in notes[0]
    assert "even before" in notes[1]


def test_an_experiment_probes_breaks_mends_and_counts():
    cluster = BreakableCluster()
    journal = experiment(cluster, "crash active rootcoord", retriever=FakeRetriever(cluster), **SHORT)
    (fault,) = journal.faults
    assert (fault.kind, fault.target, fault.component) == ("crash", "active rootcoord", "rootcoord-1")
    assert fault.undone_at - fault.at == pytest.approx(0.5, abs=0.4)
    (outage,) = outages(journal.samples("insert"), quiet=0.3)
    bound = journal.resolution + journal.scheduling.max
    assert abs(outage.start - fault.at) <= bound
    assert abs(outage.duration - 0.3) <= 2 * bound
    assert journal.count == RowCount(1, 0, 0, 1)


def test_a_cluster_that_does_not_heal_is_a_result():
    cluster = BreakableCluster(heals=False)
    journal = experiment(cluster, "crash proxy", retriever=FakeRetriever(cluster), **BRIEF)
    assert "did not become healthy again" in journal.notes[0]
    assert outages(journal.samples("insert"))[0].end is None


@pytest.mark.parametrize(
    ("rises", "told"), [(True, "became healthy only 7 s later"), (False, "has not healed")]
)
def test_who_falls_when_the_cluster_was_healthy_again_is_waited_for_and_told(rises, told):
    class FallsLate(BreakableCluster):
        asked = 0

        def wait_healthy(self, timeout=60.0):
            self.asked += 1
            if self.asked < 3:  # before the fault, and once it is undone
                return 0.0
            if not rises:
                raise NotReady("Awaited every component healthy")
            return 7.0

        def components(self):
            return [SimpleNamespace(name="datacoord-2", health="unhealthy")]

    cluster = FallsLate()
    notes = experiment(cluster, "hang etcd leader", retriever=FakeRetriever(cluster), **BRIEF).notes
    (note,) = [note for note in notes if "datacoord-2" in note]
    assert told in note


def test_an_experiment_goes_on_until_every_request_is_answered(monkeypatch):
    """The cluster is healthy at once, and answers without a row for a second more."""

    class Empty(BreakableCluster):
        def inject(self, kind, target):
            fault = super().inject(kind, target)
            self.script.spells = (
                Spell(self.script.spells[0].start, self.script.spells[0].start + lasts, "error"),
            )
            return fault

    lasts, cluster = 1.2, Empty()
    journal = experiment(cluster, "crash proxy", retriever=FakeRetriever(cluster), **SHORT)
    (outage,) = outages(journal.samples("insert"), quiet=0.3)
    assert outage.duration == pytest.approx(lasts, abs=0.3), "its end was seen"
    monkeypatch.setattr(experiment_steps, "PATIENCE", 0.3)
    lasts, cluster = 60.0, Empty()
    journal = experiment(cluster, "crash proxy", retriever=FakeRetriever(cluster), **SHORT)
    assert any("still got no answer" in note for note in journal.notes)


def test_rows_that_could_not_be_counted_are_said_so():
    cluster = BreakableCluster()
    retriever = FakeRetriever(cluster, MeasurementError("no answer"))
    journal = experiment(cluster, None, retriever=retriever, **BRIEF)
    assert journal.count is None
    assert "Rows were not counted: no answer" in journal.notes
    assert journal.faults == ()


def test_a_target_that_is_not_there_is_an_error_before_the_first_probe_leaves():
    with pytest.raises(TargetError):
        experiment(BreakableCluster(), "crash nobody", retriever=None)


@pytest.mark.parametrize("words", ["", "crash", "explode proxy", "active rootcoord"])
def test_words_that_are_no_fault_are_refused_before_anything_happens(words):
    with pytest.raises(MeasurementError, match="a kind and a target"):
        experiment(None, words, retriever=None)


def test_a_fault_is_read_from_words():
    assert parse_fault("hang query node 1") == ("hang", "query node 1")


def test_progress_says_each_phase_once_where_lines_cannot_be_written_over(capsys):
    cluster = BreakableCluster()
    experiment(cluster, "crash proxy", retriever=FakeRetriever(cluster), **BRIEF | {"progress": True})
    phases = [line.split(" s  ")[1] for line in capsys.readouterr().out.splitlines()]
    assert phases == [
        "waiting until every search finds something",
        "before the fault",
        "crash rootcoord-1",
        "undoing the fault, waiting for health",
        "after the fault",
        "counting rows",
        "done",
    ]


def test_the_whole_runs_on_a_simulated_cluster_and_says_so(tmp_path):
    journal = probe_and_save(
        SimulatedCluster(), "crash active rootcoord", tmp_path / "a.jsonl", progress=False
    )
    assert journal.simulated
    assert journal.count is None
    assert Journal.load(tmp_path / "a.jsonl") == journal
    with pytest.raises(MeasurementError, match="never overwritten"):
        probe_and_save(SimulatedCluster(), "crash active rootcoord", tmp_path / "a.jsonl", progress=False)


def test_a_simulated_experiment_is_the_same_for_the_same_seed():
    def once(seed):
        cluster = SimulatedCluster(seed=seed)
        retriever = Retriever(cluster)
        return experiment(cluster, retriever=retriever, seed=seed, progress=False).samples()

    assert once(1) == once(1)
    assert once(1) != once(2)


def test_a_journal_is_named_after_its_time_and_fault():
    now = datetime(2026, 11, 23, 14, 5, 3)
    assert journal_name("crash active rootcoord", now) == "2026-11-23-140503-crash-active-rootcoord.jsonl"
    assert journal_name(None, now) == "2026-11-23-140503-no-fault.jsonl"


def test_a_long_name_is_cut_after_a_word_and_still_tells_its_experiment_from_others():
    probed = "hang any query node, probed every {} s, timeout 3 s, 2 in a row"
    names = {journal_name(probed.format(period), datetime(2026, 11, 23, 14, 5, 3)) for period in (3, 30)}
    assert len(names) == 2
    assert all(len(name) <= len("2026-11-23-140503-") + 40 + len(".jsonl") for name in names)
    assert all(name.startswith("2026-11-23-140503-hang-any-query-node-probed-every-3") for name in names)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("crsh proxy", 'Did you mean "crash"'),
        ("partition proxy", 'engine="compose"'),
    ],
)
def test_a_fault_that_cannot_be_is_told_before_anything_is_measured_with_what_was_meant(fault, said):
    cluster = BreakableCluster()
    with pytest.raises(HalabError) as told:
        experiment(cluster, fault, retriever=FakeRetriever(cluster), **BRIEF)
    assert said in told.value.hint
