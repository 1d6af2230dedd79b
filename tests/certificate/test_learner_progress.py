import itertools
import json
import os
import shutil
import subprocess
import sys
import warnings
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from halab.certificate.evidence import evidence
from halab.certificate.learner_progress import progress
from halab.certificate.progress_texts import facts, next_step
from halab.cli import app
from halab.course.paths import state_dir
from halab.course.predictions import predict
from halab.course.store import append
from halab.course.workspace import open_copy
from halab.measure.journal.journal_file import FaultRecord, Header, Journal
from halab.models.samples import Outcome, Sample

LESSON = "course/06-failover-timeline.ipynb"
HEADER = Header(
    name="crash",
    engine="embedded",
    profile="ha",
    ttl=10.0,
    versions={"milvus": "2.3.5"},
    seed=1,
    machine={},
    started="",  # see `journals`
    rate=20.0,
    deadline=1.0,
    operations=("search",),
    timeouts={"search": 1.0},
    simulated=False,
)


@pytest.fixture
def journals(course):
    """Keep a journal in which the first lasting answer to a search comes 9.2 s after the fault."""

    runs = itertools.count()  # no two are alike

    def save(name, *, back=9.2, **fields):
        outcomes = [
            (0.0, Outcome.OK), (1.0, Outcome.FAIL), (1.0 + back - 0.01, Outcome.OK), (15.0, Outcome.OK),
        ]  # fmt: skip
        samples = [
            Sample("search", number, at, at, at + 0.01 + next(runs) / 1e9, outcome)
            for number, (at, outcome) in enumerate(outcomes)
        ]
        soon = datetime.now(UTC) + timedelta(minutes=4)  # after every prediction that a test makes
        header = replace(HEADER, **{"started": soon.isoformat()} | fields)
        fault = FaultRecord("crash", "active rootcoord", "rootcoord-1", 1.0, 12.0)
        return Journal.write(header, samples=samples, faults=[fault]).save(
            course / "work" / "journals" / name
        )

    return save


@pytest.fixture
def lesson(course):
    """A lesson of three code cells, opened, of which so many were run."""

    def code(name, ran=False, outputs=()):
        count = 1 if ran else None
        return {"cell_type": "code", "id": name, "source": "1", "metadata": {}, "execution_count": count} | {
            "outputs": list(outputs)
        }

    def write(path, cells):
        path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))

    write(course / LESSON, [code("a"), code("b"), code("c"), {"cell_type": "markdown", "source": "x"}])
    open_copy(LESSON)

    class Made:
        copy = course / "work" / LESSON
        original = course / LESSON

    Made.code, Made.write = staticmethod(code), staticmethod(write)
    return Made


def test_nothing_is_done_before_anything_was_done(course):
    found = progress()
    assert set(found.cards) == {*range(1, 11), 12}
    assert not found.cards[6].opened
    assert found.cards[6].points is None
    assert found.notes == ()
    assert not any(found.items)


def test_what_was_done_shows_on_its_own_card_only(course, journals, lesson):
    predict(6, "crash active rootcoord", failed_requests=200)
    journals("06-crash.jsonl")
    append(state_dir() / "grades.jsonl", {"card": 6, "points": 12.0, "out_of": 20.0, "checks": []})
    cards = progress().cards
    done = cards[6]
    assert (done.opened, done.predicted, done.measured) == (True, True, 1)
    assert (done.points, done.max_points) == (12.0, 20.0)
    assert cards[7] == cards[1]


def test_a_lesson_is_done_when_each_of_its_cells_was_run(lesson):
    code = lesson.code
    assert (progress().cards[6].cells_run, progress().cards[6].cells) == (0, 3)
    lesson.write(lesson.copy, [code("a", True), code("my own"), code("b", True), code("c", True)])
    done = progress().cards[6]
    assert (done.cells_run, done.cells, done.lesson_done) == (3, 3, True)


def test_a_cell_that_failed_or_was_deleted_was_not_run(lesson):
    failed = lesson.code("b", True, [{"output_type": "error", "ename": "E", "evalue": "", "traceback": []}])
    lesson.write(lesson.copy, [lesson.code("a", True), failed])
    done = progress().cards[6]
    assert (done.cells_run, done.cells, done.lesson_done) == (1, 3, False)


def test_a_lesson_that_was_done_stays_done_when_the_course_grows(lesson):
    code = lesson.code
    lesson.write(lesson.copy, [code(name, True) for name in "abc"])
    lesson.write(lesson.original, [code(name) for name in "abcd"])
    assert progress().cards[6].lesson_done


def test_a_copy_that_is_no_notebook_is_named(lesson):
    lesson.copy.write_text("{")
    found = progress()
    assert not found.cards[6].lesson_done
    assert "06-failover-timeline.ipynb is not a notebook" in found.notes[0]


def test_the_prediction_stands_beside_the_measurement(course, journals):
    predict(6, "crash active rootcoord", first_failure=0, last_failure=11, failed_requests=200)
    predict(6, "hang active rootcoord", first_failure=0, last_failure=30, failed_requests=200)
    journals("06-crash.jsonl")
    (compared,) = progress().cards[6].compared
    assert compared.experiment == "crash active rootcoord"
    assert compared.predicted == 11
    assert compared.measured == pytest.approx(9.2)


def test_a_prediction_made_after_the_measurement_is_not_compared(course, journals):
    journals("06-crash.jsonl", started="2001-01-01T00:00:00+00:00")
    predict(6, "crash active rootcoord", first_failure=0, last_failure=9.2, failed_requests=200)
    assert progress().cards[6].compared == ()


def test_a_prediction_for_a_shorter_lease_is_not_laid_beside_the_run_with_retries(course, journals):
    predict(6, "crash active rootcoord with TTL 5 s", first_failure=0, last_failure=5.5, failed_requests=100)
    both = ("search", "search with retries")
    journals("06-short.jsonl", ttl=5.0)
    journals("06-retried.jsonl", ttl=5.0, back=11.5, operations=both, timeouts=dict.fromkeys(both, 1.0))
    done = progress().cards[6]
    assert [outcome.measured for outcome in done.compared] == [pytest.approx(9.2)]
    assert (done.foreseen, done.measured) == (1, 2)


def test_a_prediction_of_something_else_than_searches_belongs_to_its_run_too(course, journals):
    predict(6, "crash active rootcoord", percent=20)
    journals("06-crash.jsonl")
    done = progress().cards[6]
    assert (done.foreseen, done.compared) == (1, ())
    assert facts(done, "en")[1].text == "made for 1 of 1 measurements"


@pytest.mark.parametrize("how", [{"simulated": True}, {"engine": "simulated"}])
def test_a_simulated_journal_is_no_measurement_and_is_named(course, journals, how):
    journals("06-crash.jsonl", **how)
    found = progress()
    assert not found.cards[6].measured
    assert found.cards[6].rejected == 1
    assert found.notes == ("06-crash.jsonl does not count: it is a simulation, not a measurement.",)


def test_an_altered_journal_is_named_and_does_not_count(course, journals):
    path = journals("06-crash.jsonl")
    path.write_text(path.read_text().replace('"ok"', '"fail"'))
    found = progress()
    assert not found.cards[6].measured
    assert "06-crash.jsonl does not count: line 2 was altered" in found.notes[0]


@pytest.mark.parametrize(
    "fields",
    [{"started": "yesterday"}, {"started": "2026-11-23T12:00:00"}, {"ttl": "ten"}, {"versions": [1]}],
)
def test_a_journal_with_a_whole_chain_and_nonsense_in_it_does_not_count(course, journals, fields):
    journals("06-crash.jsonl", **fields)
    found = progress()
    assert not found.cards[6].measured
    assert "06-crash.jsonl does not count" in found.notes[0]


def test_what_was_measured_under_another_id_is_named(course, journals, monkeypatch):
    monkeypatch.setenv("HALAB_LEARNER", "ada")
    journals("06-mine.jsonl", learner="ada")
    assert progress().notes == ()
    journals("06-before.jsonl", learner="learner-1a2b3c4d")
    (note,) = progress().notes
    assert note.startswith("Measured by learner-1a2b3c4d, not by ada: 06-before.jsonl.")


def test_many_journals_that_do_not_count_are_one_note(course, journals):
    for number in range(4):
        journals(f"06-crash-{number}.jsonl", simulated=True)
    (note,) = progress().notes
    assert note.startswith("4 journals of card 6 do not count. The last of them: 06-crash-3.jsonl does not")


def test_a_measurement_counts_for_one_card_only(course, journals):
    path = journals("06-crash.jsonl")
    shutil.copy(path, path.with_name("07-crash.jsonl"))
    shutil.copy(path, path.with_name("06-once-more.jsonl"))
    found = progress()
    assert (found.cards[6].measured, found.cards[7].measured) == (1, 0)
    assert "07-crash.jsonl does not count: it is the same measurement as 06-crash.jsonl" in found.notes[1]


def test_the_course_s_own_run_and_a_run_without_a_fault_count_for_nobody(course, journals):
    (course / "docs").mkdir()
    for card, name in ((1, "failover"), (6, "failover"), (9, "partition")):
        shipped = Journal.load(shutil.copy(Path(__file__).parents[2] / f"docs/{name}.jsonl", course / "docs"))
        shipped.extended(notes=[f"mine {card}"]).save(course / "work" / "journals" / f"{card:02d}-lab.jsonl")
    path = journals("02-calm.jsonl", back=4.0)
    calm = Journal.load(path).extended(faults=[])
    path.unlink()
    calm.save(path)
    told = evidence()
    assert all(not told[card].accepted for card in (1, 2, 6, 9))
    assert all("comes with the course" in told[card].rejected[0].why.in_("en") for card in (1, 6, 9))
    assert "nothing was broken" in told[2].rejected[0].why.in_("en")


def test_a_measurement_that_was_kept_anew_with_another_note_counts_once(course, journals):
    one = Journal.load(journals("06-crash.jsonl"))
    one.extended(notes=["again"]).save(course / "work" / "journals" / "07-crash.jsonl")
    told = evidence()
    assert len(told[6].accepted) == 1
    assert not told[7].accepted


def test_80_percent_and_a_measurement_that_was_predicted_meet_the_item(course, journals):
    journals("06-crash.jsonl")
    append(state_dir() / "grades.jsonl", {"card": 6, "points": 1.0, "out_of": 1.0, "checks": []})
    assert not progress().cards[6].met
    predict(6, "crash active rootcoord", failed_requests=200)
    for points, met in ((799.0, False), (800.0, True)):
        append(state_dir() / "grades.jsonl", {"card": 6, "points": points, "out_of": 1000.0, "checks": []})
        assert progress().cards[6].met == met
    assert sum(progress().items) == 1


def test_progress_survives_a_moved_folder(course, journals, lesson, tmp_path, monkeypatch):
    predict(6, "crash active rootcoord", failed_requests=200)
    journals("06-crash.jsonl")
    lesson.write(lesson.copy, [lesson.code(name, True) for name in "abc"])
    before = progress()
    moved = shutil.move(course, tmp_path / "elsewhere")
    monkeypatch.setenv("HALAB_COURSE", str(Path(moved)))
    assert progress() == before
    assert before.cards[6].lesson_done


def test_a_damaged_file_of_the_board_is_named_and_its_good_records_count(course):
    append(state_dir() / "grades.jsonl", {"card": 6, "points": 12.0, "out_of": 20.0, "checks": []})
    append(state_dir() / "grades.jsonl", {"card": 6, "points": "many"})
    found = progress()
    assert found.cards[6].points == 12
    assert "grades.jsonl is damaged; it was set aside as grades.jsonl.damaged-" in found.notes[0]
    assert progress().notes == ()


def test_records_of_an_older_and_a_newer_halab_are_read(course):
    append(
        state_dir() / "predictions.jsonl",
        {"card": 6, "experiment": "main", "time": 1.0, "numbers": {}, "confidence": 0.8},
    )
    append(state_dir() / "grades.jsonl", {"card": 6, "checks": []})
    found = progress()
    assert found.notes == ()
    assert found.cards[6].predicted
    assert found.cards[6].points is None


def test_what_is_next_follows_the_card(course, journals, lesson):
    def said():
        return next_step(progress(), "en").text

    lesson.copy.unlink()
    assert said() == "Card 1: open the lesson course/01-essence.ipynb."
    open_copy(LESSON)
    assert "predict before you measure" in said()
    predict(6, "crash active rootcoord", failed_requests=200)
    assert "run the lab on the real cluster" in said()
    journals("06-crash.jsonl")
    assert "run the 3 code cells left" in said()
    lesson.write(lesson.copy, [lesson.code(name, True) for name in "abc"])
    assert "do the exercise, save, then: halab grade 06" in said()
    append(state_dir() / "grades.jsonl", {"card": 6, "points": 12.0, "out_of": 20.0, "checks": []})
    assert "has 12 points and needs 16" in said()
    append(state_dir() / "grades.jsonl", {"card": 6, "points": 16.0, "out_of": 20.0, "checks": []})
    assert said().startswith("Card 1: ")


def test_the_command_shows_the_board_and_tells_a_damaged_file_in_one_plain_line(course, journals):
    predict(6, "crash active rootcoord", first_failure=0, last_failure=11, failed_requests=200)
    journals("06-crash.jsonl")
    (state_dir() / "grades.jsonl").write_text("nonsense\n")
    with warnings.catch_warnings(record=True) as heard:
        run = CliRunner().invoke(app, ["progress"], env={"COLUMNS": "200"})
    assert run.exit_code == 0
    assert heard == []
    words = " ".join(run.output.split())
    assert "6. The" in words
    assert "1 measurement" in words
    assert "Note: grades.jsonl is damaged; it was set aside as grades.jsonl.damaged-" in words
    assert words.index("Next: Card 6") < words.index("Note: "), "what to do is not buried under notes"


def test_the_command_gives_data_for_machines(course, journals):
    journals("06-crash.jsonl")
    data = json.loads(CliRunner().invoke(app, ["progress", "--json"]).stdout)
    assert data["cards"][5]["card"] == 6
    assert data["cards"][5]["measured"] == 1
    assert data["items"] == [False] * 10
    assert data["next"].startswith("Card 6")


def test_nothing_kept_names_an_absolute_path(course, journals, lesson):
    predict(6, "crash active rootcoord", failed_requests=200)
    journals("06-crash.jsonl")
    for path in (course / "work").rglob("*"):
        assert not path.is_file() or str(course).encode() not in path.read_bytes(), path


def test_every_command_tells_a_damaged_file_in_one_plain_line(course):
    (state_dir() / "hints.jsonl").write_text("nonsense\n")
    solutions = Path(__file__).parents[2] / "solutions" / "06-failover-timeline" / "hints.yml"
    shutil.copy(solutions, course / "solutions" / "06-failover-timeline")
    run = subprocess.run(
        [sys.executable, "-m", "halab", "hint", "06.1"], capture_output=True, text=True, env=dict(os.environ)
    )
    assert run.returncode == 0, run.stderr
    assert " ".join(run.stderr.split()).startswith("Note: hints.jsonl is damaged; it was set aside as")
    assert "UserWarning" not in run.stderr
    assert ".py" not in run.stderr
