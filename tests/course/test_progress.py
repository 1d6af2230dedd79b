import shutil
from pathlib import Path

import pytest

from halab.course.paths import state_dir
from halab.course.predictions import predict
from halab.course.progress import progress
from halab.course.store import append
from halab.measure.journal import Header, Journal
from halab.models.samples import Outcome, Sample


@pytest.fixture
def journals(course):
    def save(name, *, simulated=False):
        header = Header(
            name="crash",
            engine="simulated" if simulated else "embedded",
            profile="ha",
            ttl=10.0,
            versions={},
            seed=1,
            machine={},
            started="2026-11-23T12:00:00+00:00",
            rate=20.0,
            deadline=1.0,
            operations=("search",),
            patience={"search": 1.0},
            simulated=simulated,
        )
        sample = Sample("search", 0, 0.0, 0.0, 0.01, Outcome.OK)
        return Journal.write(header, samples=[sample]).save(course / "work" / "journals" / name)

    return save


def test_nothing_is_done_before_anything_was_done(course):
    assert set(progress()) == set(range(1, 11))
    assert not progress()[6].opened
    assert progress()[6].points is None


def test_what_was_done_shows_on_its_own_card_only(course, journals):
    opened = course / "work" / "course" / "06-failover-timeline.ipynb"
    opened.parent.mkdir(parents=True)
    opened.touch()
    predict(6, failed_requests=200)
    journals("06-crash.jsonl")
    append(state_dir() / "grades.jsonl", {"card": 6, "points": 12.0, "out_of": 20.0, "checks": []})
    done = progress()[6]
    assert (done.opened, done.predicted, done.measured) == (True, True, True)
    assert (done.points, done.max_points) == (12.0, 20.0)
    assert progress()[7] == progress()[1]


def test_a_simulated_journal_is_no_measurement(course, journals):
    journals("06-crash.jsonl", simulated=True)
    assert not progress()[6].measured


def test_an_altered_journal_is_named_and_does_not_count(course, journals):
    path = journals("06-crash.jsonl")
    path.write_text(path.read_text().replace('"ok"', '"fail"'))
    with pytest.warns(UserWarning, match="06-crash.jsonl does not count"):
        assert not progress()[6].measured


def test_progress_survives_a_moved_folder(course, tmp_path, monkeypatch):
    predict(6, failed_requests=200)
    moved = shutil.move(course, tmp_path / "elsewhere")
    monkeypatch.setenv("HALAB_COURSE", str(Path(moved)))
    assert progress()[6].predicted
