"""What replicas cost a writer: the table as a pure function of a journal, and the simulated lab."""

import numpy as np
import pytest

import halab
from halab.errors import MeasurementError
from halab.measure.experiments.replica_collections import InsertMany, key_vector, questions
from halab.measure.experiments.write_cost import costs, writing
from halab.models.samples import Outcome


@pytest.fixture
def simulated():
    with halab.cluster(engine="simulated") as cluster:
        yield writing(cluster, (1, 3), repeats=6, writes=4)


def test_a_simulated_lab_says_so_and_leaves_out_what_it_cannot_know(simulated):
    assert simulated.simulated
    table = costs(simulated)
    assert table.title.startswith("SIMULATED")
    assert "Load time and memory are not simulated" in repr(table)
    assert [(row.replicas, row.turns, row.load, row.memory) for row in table.rows] == [
        (1, 6, None, None), (3, 6, None, None),
    ]  # fmt: skip
    assert "not simulated" in table._repr_html_()
    simulated.verify()


def test_a_turn_s_figures_are_those_of_its_samples(simulated):
    for phase in simulated.phases:
        of = [one for one in simulated.samples() if phase.start <= one.intended <= phase.end]
        writes = [one for one in of if one.operation == "insert"]
        found = [one for one in of if one.operation == "strong search"]
        assert (len(writes), len(found)) == (4, phase.settings["replicas"])
        assert phase.figures["acknowledged"] == pytest.approx(
            np.median([w.latency for w in writes]), abs=1e-5
        )
        last = max(one.done for one in found) - writes[-1].intended
        assert phase.figures["everywhere"] == pytest.approx(last, abs=1e-5)
        assert all(one.outcome is Outcome.OK for one in of)


def test_the_first_line_is_what_the_others_are_compared_with(simulated):
    one, three = costs(simulated).rows
    assert one.ratio is None
    assert three.ratio is not None
    assert three.ratio.median == pytest.approx(three.acknowledged.median / one.acknowledged.median)
    assert three.ratio.low <= three.ratio.median <= three.ratio.high
    assert three.everywhere.median > three.acknowledged.median


@pytest.mark.parametrize("wrong", [{"rows": 0}, {"repeats": 0}, {"writes": 0}, {"filled": -1}])
def test_a_lab_of_nothing_is_refused(wrong):
    with halab.cluster(engine="simulated") as cluster, pytest.raises(MeasurementError, match="1 or more"):
        writing(cluster, **wrong)


def test_a_journal_without_writes_has_no_costs(journal, samples):
    with pytest.raises(MeasurementError, match="no writes"):
        costs(journal(samples("...")))


def test_a_request_holds_its_rows_under_keys_of_its_own_and_its_marker_first():
    fields = [
        {"name": "id", "type": 5, "is_primary": True, "params": {}},
        {"name": "vector", "type": 101, "params": {"dim": 128}},
    ]
    insert = InsertMany("http://127.0.0.1:1", "rows", 3, fields)
    insert._template = insert._built(range(3))
    first, second = (insert._request(number)[0] for number in (0, 1))
    keys = [list(one.fields_data[0].scalars.long_data.data) for one in (first, second)]
    assert keys == [[0, 1, 2], [3, 4, 5]]
    vectors = np.array(second.fields_data[1].vectors.float_vector.data).reshape(3, 128)
    assert np.allclose(vectors[0], key_vector(3))
    assert np.argmax(vectors @ key_vector(3)) == 0
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_questions_are_the_same_each_time_and_far_apart():
    asked = np.array(questions(20))
    assert np.allclose(asked, questions(20))
    assert np.allclose(np.linalg.norm(asked, axis=1), 1, atol=1e-5)
    assert np.max(asked @ asked.T - np.eye(20)) < 0.5
