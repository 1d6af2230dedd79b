"""What the certificate asks for, what is missing, and that nothing the board remembers is believed."""

import json
import os
import shutil

import pytest

from halab.certificate import assessment
from halab.certificate.assessment import assess, checked_name, issue, save
from halab.certificate.record import passes
from halab.certificate.signing_keys import own_key
from halab.course.catalogue import CHECKLIST
from halab.course.paths import course_root
from halab.course.store import DamagedFileWarning
from halab.errors import CourseError, SubmissionError
from halab.grading.grader import grade_notebook


def missing(found):
    return {(one.card, one.problem): one.next_step for one in found.missing}


def test_all_ten_are_met_by_graded_exercises_and_real_journals(whole_course):
    found = whole_course.assess()
    assert found.complete
    assert found.missing == ()
    assert [one.card for one in found.exercises] == [*range(1, 11), 12]
    assert {one.engine for one in found.journals} == {"embedded"}


@pytest.mark.parametrize(
    ("points", "out_of", "enough"),
    [(15.98, 20, False), (16, 20, True), (799, 1000, False), (800, 1000, True), (0, 0, False)],
)
def test_80_percent_is_enough_and_79_9_is_not(whole_course, points, out_of, enough):
    whole_course.earn(6, points, out_of)
    found = whole_course.assess()
    assert found.complete == enough
    assert [found.met(item) for item in CHECKLIST].count(False) == (0 if enough else 1)


def test_tenths_that_add_up_to_80_percent_are_not_lost_to_binary_fractions():
    assert passes(0.1 + 0.7, 1.0)
    assert passes(sum([0.1] * 8), 1.0)
    assert not passes(0.799, 1.0)


def test_a_grade_the_board_was_given_does_not_count_and_the_difference_is_told(whole_course):
    whole_course.earn(6, 4.0)
    whole_course.remember(6, 20.0)
    found = whole_course.assess()
    assert not found.complete
    assert missing(found) == {(6, "the exercise has 4 of 20 points and needs 16"): "halab grade 06"}
    assert found.remarks == (
        "Exercise 06: the board has 20 of 20 points; graded again it has 4 of 20. The new grade counts; "
        "`halab grade 06` brings the board up to date.",
    )


def test_a_board_that_says_the_same_needs_no_remark(whole_course):
    whole_course.remember(6, 18.0)
    assert whole_course.assess().remarks == ()


def test_another_learner_s_notebook_earns_nothing(whole_course):
    whole_course.earn(6, 20.0, learner="bo")
    assert missing(whole_course.assess()) == {
        (6, "the exercise has 0 of 20 points and needs 16"): "halab grade 06"
    }


def test_an_altered_journal_does_not_count(whole_course):
    whole_course.journal(6).write_text(whole_course.journal(6).read_text().replace('"ok"', '"fail"'))
    found = whole_course.assess()
    assert missing(found) == {
        (6, "its lab is not measured on a real cluster (1 kept, and none counts)"): (
            "halab lab, then run course/06-failover-timeline.ipynb"
        )
    }
    assert "06-crash.jsonl does not count: line 2 was altered" in found.remarks[0]


def test_a_simulated_journal_does_not_count(whole_course):
    whole_course.measure(6, simulated=True)
    found = whole_course.assess()
    assert [one.card for one in found.missing] == [6]
    assert "it is a simulation" in found.remarks[0]


@pytest.mark.parametrize(
    ("run", "told"),
    [
        ({"engine": "my laptop"}, "its engine is 'my laptop'"),
        ({"started": "2999-01-01T00:00:00+00:00"}, "it says that it began in the future"),
        ({"faults": False}, "nothing was broken in it"),
    ],
)
def test_a_run_that_is_no_lab_does_not_count(whole_course, run, told):
    whole_course.measure(6, **run)
    found = whole_course.assess()
    assert [one.card for one in found.missing] == [6]
    assert told in found.remarks[0]


def test_a_measurement_copied_to_another_card_does_not_count_there(whole_course):
    shutil.copy(whole_course.journal(5), whole_course.journal(6))
    found = whole_course.assess()
    assert [one.card for one in found.missing] == [6]
    assert "the same measurement as 05-crash.jsonl" in found.remarks[0]


@pytest.mark.timeout(60)
def test_a_work_folder_of_pipes_devices_and_gigabytes_is_told_and_ends(whole_course):
    os.truncate(whole_course.copy(2), 3 << 30)
    for card in (3, 4):
        whole_course.journal(card).unlink()
    os.mkfifo(whole_course.journal(3))
    whole_course.journal(4).symlink_to("/dev/zero")
    grades = whole_course.work / ".halab" / "grades.jsonl"
    grades.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(grades)
    with pytest.warns(DamagedFileWarning):
        found = whole_course.assess()
    assert [one.card for one in found.missing] == [2, 3, 4]
    assert "more than 104,857,600 bytes" in found.missing[0].problem


def test_every_thing_that_is_missing_is_listed_once_with_its_way(whole_course):
    whole_course.copy(1).unlink()
    whole_course.earn(2, 3.0)
    whole_course.journal(3).unlink()
    found = whole_course.assess()
    assert [one.card for one in found.missing] == [1, 2, 3]
    ways = [one.next_step for one in found.missing]
    assert ways[0] == "halab lab, then open exercises/01-essence/01-essence.ipynb"
    assert ways[1] == "halab grade 02"
    assert ways[2] == "halab lab, then run course/03-architecture.ipynb"
    assert [found.met(item) for item in CHECKLIST] == [False] * 3 + [True] * 7


def test_a_notebook_that_cannot_be_graded_is_missing_and_costs_only_itself(whole_course):
    def grader(copy, name, learner, on_progress):
        if name.startswith("06"):
            raise SubmissionError("It ended its Python process.", hint="Look at cell 3.")
        return whole_course.grader(copy, name, learner, on_progress)

    (only,) = assess(grader).missing
    assert (only.card, only.next_step) == (6, "Look at cell 3.")
    assert "It ended its Python process." in only.problem


def test_a_notebook_saved_while_it_is_graded_is_told(whole_course):
    def grader(copy, name, learner, on_progress):
        report = whole_course.grader(copy, name, learner, on_progress)
        copy.write_text(copy.read_text() + "\n")
        return report

    with pytest.raises(CourseError, match="was saved while it was graded"):
        assess(grader)


def test_progress_is_told_for_each_exercise(whole_course):
    heard = []
    assess(whole_course.grader, lambda card, done: heard.append((card, done)))
    assert {card for card, _ in heard} == {*range(1, 11), 12}
    assert heard.count((6, 1.0)) == 1


def test_there_is_no_certificate_of_nine(whole_course):
    whole_course.journal(6).unlink()
    with pytest.raises(CourseError, match="Not all ten"):
        issue(whole_course.assess(), "", own_key(), by_issuer=False)


def test_the_record_pins_what_it_rests_on_and_no_absolute_path(whole_course):
    path = whole_course.certify()
    text = path.read_text()
    record = json.loads(text)["record"]
    assert str(whole_course.work) not in text
    assert str(whole_course.root) not in text
    assert record["learner"] == "ada"
    assert record["name"] == "Ada Lovelace"
    (journal,) = [one for one in record["journals"] if one["card"] == 6]
    assert journal["digest"] in whole_course.journal(6).read_text()
    assert journal["versions"] == {"milvus": "2.3.5"}
    assert journal["faults"][0]["target"] == "active rootcoord"
    (exercise,) = [one for one in record["exercises"] if one["card"] == 6]
    assert exercise["points"] == 18.0
    assert len(exercise["notebook_sha256"]) == len(exercise["source_sha256"]) == 64


def test_files_are_never_overwritten(whole_course):
    path = whole_course.certify()
    issued = assessment.Certificate.model_validate_json(path.read_bytes())
    before = path.read_bytes()
    with pytest.raises(CourseError, match="never overwritten"):
        save(issued, path.parent, "en")
    assert path.read_bytes() == before


def test_without_a_browser_one_plain_line_says_why_there_is_no_pdf(whole_course):
    issued = issue(whole_course.assess(), "", own_key(), by_issuer=False)
    files = save(issued, whole_course.work / "certificates", "en")
    assert files.pdf is None
    assert files.pdf_problem.startswith("no browser is there to make it: none of chromium")
    assert sorted(path.suffix for path in files.record.parent.iterdir()) == [".html", ".html", ".json"]


@pytest.mark.parametrize("name", ["x" * 101, "Ada\x1b[31m", "Ada\u202eevil"])
def test_a_name_that_could_fool_a_reader_is_refused(name):
    with pytest.raises(CourseError, match="printable"):
        checked_name(name)


@pytest.mark.grading
@pytest.mark.timeout(600)
def test_the_real_exercise_6_is_graded_afresh_end_to_end(whole_course, monkeypatch):
    """Nine quick exercises, and the real one: its solution earns it, the exercise as handed out does not."""
    name = "06-failover-timeline"
    monkeypatch.delenv("HALAB_COURSE")
    checkout = course_root()
    for part in ("solutions", "exercises"):
        shutil.rmtree(whole_course.root / part / name)
        shutil.copytree(checkout / part / name, whole_course.root / part / name)
    shutil.copy(checkout / "nbgrader_config.py", whole_course.root)
    monkeypatch.setenv("HALAB_COURSE", str(whole_course.root))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")

    def grader(copy, slug, learner, on_progress):
        really = grade_notebook if slug == name else whole_course.grader
        return really(copy, slug, learner, on_progress)

    shutil.copy(whole_course.root / "exercises" / name / f"{name}.ipynb", whole_course.copy(6))
    assert missing(assess(grader)) == {(6, "the exercise has 0 of 20 points and needs 16"): "halab grade 06"}
    shutil.copy(whole_course.root / "solutions" / name / f"{name}.ipynb", whole_course.copy(6))
    found = assess(grader)
    assert found.complete
    assert [(one.points, one.out_of) for one in found.exercises if one.card == 6] == [(20, 20)]
