"""The instructor guide: its commands are commands, its files are there, its plan is that of the ten cards."""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
import typer
import yaml
from typer.testing import CliRunner

from halab import cli
from halab.certificate.assessment import assess
from halab.certificate.revocation import revoke
from halab.certificate.signing_keys import read_key
from halab.classroom.class_certificates import certify_class
from halab.cluster.targets import check_words
from halab.course.catalogue import CATALOGUE
from halab.grading import grader
from support.small_class import class_folder, grade_fake  # noqa: F401 - a fixture
from support.whole_course import learner_of, quick_grader, real_path  # noqa: F401 - fixtures

ROOT = Path(__file__).parents[1]
PATH = ROOT / "docs" / "instructor-guide.md"
GUIDE = PATH.read_text()
SEATS = (ROOT / "docs" / "seats.md").read_text()
WORKSHOP = (ROOT / "docs" / "workshop.md").read_text()
LINES = [
    line
    for block in re.findall(r"^```bash\n(.*?)^```", GUIDE + SEATS + WORKSHOP, re.M | re.S)
    for line in block.splitlines()
]


def commands(program: str) -> list[list[str]]:
    """The arguments of each call of a program in a bash block."""
    found = [shlex.split(line, comments=True) for line in LINES]
    return [words[1:] for words in found if words and words[0] == program]


def plan() -> list[tuple[int, str]]:
    """The plan's rows: minutes, and the card or nothing."""
    rows = re.findall(r"^\| (\d+) \| (.*?) ?\|", GUIDE, re.M)
    return [(int(minutes), card) for minutes, card in rows]


def numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text)]


def test_the_plan_takes_three_hours_and_goes_through_the_ten_cards_in_order():
    assert sum(minutes for minutes, _ in plan()) == 180
    assert [card for _, card in plan() if card] == [f"{card.number}. {card.title}" for card in CATALOGUE]


def test_every_card_has_the_lesson_and_the_exercise_it_promises():
    assert "Every card has a lesson" in GUIDE
    assert all(card.lesson_path.is_file() and card.exercise_path.is_file() for card in CATALOGUE)


@pytest.mark.parametrize("arguments", commands("halab"), ids=" ".join)
def test_every_halab_command_parses(arguments):
    group = typer.main.get_command(cli.app)
    context = group.make_context("halab", list(arguments), resilient_parsing=True)
    rest = list(arguments)
    while hasattr(group, "resolve_command"):
        name, group, rest = group.resolve_command(context, rest)
        if not hasattr(group, "resolve_command"):
            # Raises UsageError for an option or an argument that is not there, or is missing.
            assert group.make_context(name, rest, parent=context)


def test_a_command_that_is_none_would_be_found():
    group = typer.main.get_command(cli.app)
    context = group.make_context("halab", ["doctor"], resilient_parsing=True)
    name, command, rest = group.resolve_command(context, ["doctor", "--no-such-option"])
    with pytest.raises(Exception, match="no-such-option"):
        command.make_context(name, rest, parent=context)


def test_commands_in_prose_exist_too():
    known = set(typer.main.get_command(cli.app).commands)
    named = set(re.findall(r"`halab ([a-z-]+)", GUIDE + SEATS))
    assert named
    assert named <= known
    assert commands("halab"), "else no command above was parsed"


def test_every_nbgrader_command_exists():
    from nbgrader.apps import NbGraderApp

    named = {words[0] for words in commands("nbgrader")} | set(
        re.findall(r"`nbgrader ([a-z_]+)", GUIDE + SEATS)
    )
    assert named
    assert named <= set(NbGraderApp.subcommands)


def test_make_targets_and_copied_folders_exist():
    targets = re.findall(r"^(\S+):", (ROOT / "Makefile").read_text(), re.M)
    asked = {words[0] for words in commands("make")}
    assert asked
    assert asked <= set(targets)
    copied = [words[1] for words in commands("cp") if not words[1].startswith("~")]
    assert copied
    assert all((ROOT / path).exists() for path in copied)


def test_every_link_leads_somewhere_and_the_readme_leads_here():
    links = re.findall(r"\]\(([^)#]+)\)", GUIDE + SEATS)
    assert len(links) > 5
    for target in links:
        assert target.startswith("https://") or (PATH.parent / target).exists(), target
    assert "(docs/instructor-guide.md)" in (ROOT / "README.md").read_text()


def test_memory_figures_are_those_measured():
    measured = (ROOT / "benchmarks" / "README.md").read_text()
    figures = re.findall(r"profile `(\w+)`.*?\| (\d+ MiB) \|", GUIDE)
    assert {profile for profile, _ in figures} == {"ha", "small"}
    for profile, figure in figures:
        (row,) = re.findall(rf"^\| {profile} \|.*$", measured, re.M)
        assert figure in row


def test_the_chart_s_values_leave_room_for_the_cluster():
    (block,) = re.findall(r"^```yaml\n(.*?)^```", SEATS, re.M | re.S)
    memory = yaml.safe_load(block)["singleuser"]["memory"]
    assert memory == {"guarantee": "2G", "limit": "3G"}
    cluster = int(re.findall(r"profile `ha`.*?\| (\d+) MiB", GUIDE)[0])
    jupyter = int(re.findall(r"about (\d+) MiB \|", GUIDE)[0])
    assert (cluster + jupyter) * 2**20 < 2e9


def test_what_a_saboteur_breaks_is_there():
    targets = {words[2] for words in commands("halab") if words[0] == "fault"}
    assert targets == {"active rootcoord", "any query node", "etcd leader", "any data node"}
    for target in targets:
        check_words(target)  # raises for words that name no part of a cluster


def test_it_is_short_enough_to_be_read():
    assert len(GUIDE.splitlines()) <= 290


def run_lines(*starts: str, **places: str) -> list[str]:
    """Run the guide's lines that begin so, in their order and as they stand there, but for `places`."""
    ran = []
    for line in LINES:
        if not line.startswith(starts) or "--dask" in line:  # tests/classroom/test_whole_class.py has one
            continue
        words = [
            str(Path(places.get(word, word)).expanduser()) for word in shlex.split(line, comments=True)[1:]
        ]
        done = CliRunner().invoke(cli.app, words)
        assert done.exit_code == 0, (line, done.output, done.exception)
        ran.append(line)
    return ran


@pytest.fixture
def instructor(tmp_path, monkeypatch):
    """The instructor's own folder."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    folder = tmp_path / "home" / "halab-class"
    folder.mkdir(parents=True)
    return folder


def test_a_class_is_graded_by_the_guide_s_commands(
    class_folder,  # noqa: F811
    instructor,
    tmp_path,
    monkeypatch,
):
    monkeypatch.setattr(grader, "grade_notebook", grade_fake)
    shutil.copytree(class_folder, instructor / "spring")
    elsewhere = {"/srv/grades/spring": str(tmp_path / "elsewhere")}
    grade, regrade = "halab class grade ~/halab-class/spring", "halab class regrade"
    assert len(run_lines(grade, regrade, **elsewhere)) == 4
    for name in ("grades.csv", "summary.csv", "anonymous.csv", "heatmap.png", "for-learners", "gradebook.db"):
        assert (instructor / "spring-graded" / name).exists()
        assert name in GUIDE


def test_certificates_are_made_checked_and_taken_back_by_the_guide_s_commands(
    learner_of,  # noqa: F811
    instructor,
    monkeypatch,
):
    monkeypatch.setitem(certify_class.__kwdefaults__, "assess_work", lambda: assess(quick_grader))
    work = learner_of("ada").work
    shutil.copytree(work, instructor / "spring" / "ada")
    assert len(run_lines("halab key", "halab class certify")) == 2
    (record,) = (instructor / "spring-certificates").glob("*.json")
    paper = json.loads(record.read_text())["paper"]
    places = {"certificate.json": str(record), "HALAB3.what-the-phone-read": paper}
    places |= {"/srv/learners/ada": str(work), "~/halab-class/revoked.json": str(instructor / "others.json")}
    revoke(instructor / "others.json", ["0" * 32], "another's", read_key(instructor / "issuer.key"))
    assert len(run_lines("halab verify", **places)) == 3
    assert len(run_lines("halab class revoke", **places)) == 1
    with pytest.raises(AssertionError, match=r"SystemExit\(1\)"):  # and now it fails
        run_lines("halab verify", **places)


def test_an_issuer_s_key_does_not_get_into_the_course_s_folder():
    done = CliRunner().invoke(cli.app, ["key", str(ROOT / "issuer.key")])
    assert "learners' image" in str(done.exception)
    assert not (ROOT / "issuer.key").exists()


def test_what_is_an_instructor_s_is_kept_out_of_git_and_of_the_image():
    for name in (".gitignore", ".dockerignore"):
        kept_out = (ROOT / name).read_text()
        assert all(pattern in kept_out for pattern in ("*.key", "*-graded", "*-certificates", ".venv"))
