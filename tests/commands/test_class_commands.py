"""class grade and class regrade, with a grade function that takes no time."""

import pytest
from typer.testing import CliRunner

from halab.classroom.class_grading import default_output
from halab.cli import app
from halab.commands.class_commands import says_weaker_isolation
from halab.grading import grader
from halab.grading.sandbox.isolation import isolations
from halab.translation import speaking
from support.small_class import ONE, grade_fake, hand_in


@pytest.fixture
def command(class_folder, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(grader, "grade_notebook", grade_fake)

    def invoke(*arguments, command="grade"):
        return CliRunner().invoke(app, ["class", command, str(class_folder), *arguments])

    return invoke


def test_it_shows_points_a_line_a_problem_and_where_the_files_are(class_folder, command):
    (class_folder / "stray.txt").touch()
    done = command()
    assert done.exit_code == 1, done.output  # for what was left out
    assert "stray.txt is neither a learner's folder nor a hand-in; it was left out." in done.stderr
    assert "1 thing was left out" in done.stderr
    assert f"chen, {ONE}: refused, 0 of 5 points. It is not a notebook" in done.stderr
    assert done.stderr.count("Isolation is weaker: bubblewrap is missing.") == 1
    rows = {row.split()[1]: row.split("│")[1:-1] for row in done.stdout.splitlines() if row.startswith("│")}
    assert [cell.strip() for cell in rows["ada"]] == ["ada", "5", "2", "7"]
    assert [cell.strip() for cell in rows["chen"]] == ["chen", "× 0", "-", "0"]
    assert [cell.strip() for cell in rows["!"]] == ["! stray.txt", "!", "!", "!"]
    out = default_output(class_folder)
    assert str(out) in done.stdout
    for name in ("grades.csv", "summary.csv", "heatmap.png", "heatmap.svg", "gradebook.db"):
        assert name.removeprefix("heatmap") in done.stdout
        assert (out / name).stat().st_size > 0


def test_it_fails_when_something_was_not_graded(class_folder, command, tmp_path):
    hand_in(class_folder, "bo", ONE, "course")
    done = command("--out", str(tmp_path / "there"))
    assert done.exit_code == 1
    assert f"bo, {ONE}: not graded. The course is not installed." in done.stderr
    assert "1 of 5 submissions were not graded" in done.stderr
    assert (tmp_path / "there" / "grades.csv").is_file()
    assert not default_output(class_folder).exists()


def test_a_learner_is_graded_again_by_name(class_folder, command):
    command()
    done = command("ada", command="regrade")
    assert done.exit_code == 0, done.output
    assert "3 of 5 submissions were graded before" in done.stderr
    assert command(command="regrade").exit_code == 2  # whom?


@pytest.mark.parametrize("learns_in", ["en", "zh"])
def test_the_note_of_a_weaker_sandbox_is_known_in_its_learner_s_language(learns_in):
    with speaking(learns_in):
        note = [*isolations()][-1].warning
    assert says_weaker_isolation(note)
    assert not says_weaker_isolation("Late by 1 d 0 h.")


def test_what_an_instructor_should_look_at_and_names_are_shown(class_folder, command):
    (class_folder / "students.csv").write_text(
        "id,name\nada,王伟\nbo,\nchen,C\neve,Eve\n", encoding="utf-8-sig"
    )
    (class_folder / "ada" / ONE / f"{ONE}-Copy1.ipynb").touch()
    done = command()
    assert done.exit_code == 0, done.output
    assert f"Look at 王伟 (ada), {ONE}: Beside it lies {ONE}-Copy1.ipynb, saved later" in done.stderr
    assert "dee is not in students.csv" in done.stderr
    assert "Eve (eve)" in done.stdout  # who handed in nothing is there all the same
    for name in ("grades.csv", "summary.csv"):
        assert "王伟" in (default_output(class_folder) / name).read_text("utf-8-sig")
    assert "Eve (eve)" in (default_output(class_folder) / "heatmap.svg").read_text()
