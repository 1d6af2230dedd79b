"""Speed by replicas: the simulated lab, and the table as a pure function of a journal."""

from itertools import pairwise

import pytest

import halab
from halab.errors import MeasurementError
from halab.measure.experiments.load import rate
from halab.measure.experiments.read_scaling import reading, scaling
from halab.measure.experiments.throughput import Limit
from halab.measure.journal.experiment_name import load_of
from halab.measure.journal.journal_parts import in_phase
from halab.models.samples import Outcome


@pytest.fixture(scope="module")
def lab():
    with halab.cluster(engine="simulated") as cluster:
        return reading(cluster, seconds=1.0), reading(cluster, seconds=1.0, limit=Limit(0.2))


def test_a_simulated_lab_says_so_and_labels_the_limit(lab):
    shared, limited = lab
    for journal in lab:
        journal.verify()
        assert journal.simulated
        assert "SIMULATED" in repr(scaling(journal))
        assert "SIMULATED" in scaling(journal)._repr_html_()
        assert all(one.outcome is Outcome.OK for one in journal.samples())
    assert "SPEED LIMIT" not in repr(scaling(shared))
    assert "SPEED LIMIT" in repr(scaling(limited))
    assert load_of(limited).endswith("query nodes limited to 20% of the time")


def test_nodes_that_share_cores_add_nothing_and_limited_ones_do(lab):
    shared, limited = (scaling(one).rows for one in lab)
    assert shared[2].ratio.high < 1.2
    assert 1.5 < limited[2].ratio.low <= limited[2].ratio.high < 3.5
    assert shared[2].replicas == 3


def test_the_table_s_rates_are_those_of_the_samples_and_the_law_goes_on(lab):
    table = scaling(lab[1], beyond=(3, 5))
    assert [row.replicas for row in table.rows] == [1, 2, 3, 5]
    for row in table.rows[:3]:
        rates = [
            rate(in_phase(lab[1], phase), phase)
            for phase in lab[1].phases
            if phase.settings["replicas"] == row.replicas
        ]
        assert len(rates) == 8
        assert min(rates) <= row.rate.low <= row.rate.median <= row.rate.high <= max(rates)
        assert row.law.median == pytest.approx(row.rate.median, rel=0.1)
    five = table.rows[-1]
    assert (five.rate, five.ratio, five.p99) == (None, None, None)
    assert five.law.low <= five.law.median <= five.law.high


def test_turns_do_not_overlap(lab):
    phases = sorted(lab[0].phases, key=lambda phase: phase.start)
    for phase, after in pairwise(phases):
        mine = [one for one in lab[0].samples() if phase.start <= one.intended < after.start]
        assert max(one.done for one in mine) < after.start


@pytest.mark.parametrize("wrong", [{"replicas": ()}, {"replicas": (0,)}, {"repeats": 0}, {"seconds": 0}])
def test_a_lab_of_nothing_is_refused(wrong):
    with halab.cluster(engine="simulated") as cluster, pytest.raises(MeasurementError, match="1 or more"):
        reading(cluster, **wrong)


def test_two_numbers_of_replicas_are_too_few_for_a_law():
    with halab.cluster(engine="simulated") as cluster:
        journal = reading(cluster, replicas=(1, 3), seconds=0.5, repeats=1)
    with pytest.raises(MeasurementError, match=r"found \[1, 3\]"):
        scaling(journal)
