"""progress, certify, verify, key. (The board of `progress`: tests/certificate/test_learner_progress.py.)"""

import copy
import json
from functools import partial

import pytest
from typer.testing import CliRunner

from halab.certificate import assessment
from halab.certificate.assessment import assess
from halab.certificate.signing_keys import make_key, read_key
from halab.classroom.hand_in import hand_in
from halab.cli import app
from halab.errors import CourseError


@pytest.fixture
def halab(whole_course, monkeypatch):
    """The command with the quick grader."""
    monkeypatch.setattr(assessment, "assess", partial(assess, whole_course.grader))

    def run(*arguments):
        return CliRunner().invoke(app, list(arguments))

    return run


def altered(data, path, value):
    data = copy.deepcopy(data)
    place = data
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return data


def test_certify_writes_and_names_its_files(halab, whole_course):
    run = halab("certify", "--name", "Ada Lovelace")
    assert run.exit_code == 0, run.output
    assert "✓ 10 Keep a RAG system on Milvus available: met" in run.output
    assert "No PDF was made" in run.output
    made = sorted(path.suffix for path in (whole_course.work / "certificates").iterdir())
    assert made == [".html", ".html", ".json"]


def test_certify_lists_what_is_missing_and_writes_nothing(halab, whole_course):
    whole_course.earn(6, 4.0)
    run = halab("certify")
    assert run.exit_code == 1
    assert "○  5 Tell the timeline of a failover: not met" in run.output
    sentence = "the exercise has 4 of 20 points and needs 16. Next step: halab grade 06"
    assert sentence in " ".join(run.output.split())
    assert not (whole_course.work / "certificates").exists()
    assert not whole_course.home.exists(), "no key was made either"


def test_what_another_measured_is_said_and_not_signed_unless_that_is_accepted(halab, whole_course):
    whole_course.measure(6, by="bo")
    run = halab("certify")
    assert run.exit_code == 1
    assert "Measured by bo, not by ada: 06-crash.jsonl." in run.output
    assert not (whole_course.work / "certificates").exists()
    run = halab("certify", "--accept")
    assert run.exit_code == 0, run.output
    assert "Measured by bo" in run.output
    (record,) = (whole_course.work / "certificates").glob("*.json")
    told = " ".join(halab("verify", str(record)).output.split())
    assert "– That ada measured all of it: journals say that bo did." in told


def test_one_learner_s_hand_in_is_looked_at_and_certified_without_unpacking(
    halab, whole_course, tmp_path, monkeypatch
):
    whole_course.remember(6, 18.0)
    packed = hand_in("Ada L.").file
    monkeypatch.setenv("HALAB_WORK", str(tmp_path / "instructors"))
    monkeypatch.setenv("HALAB_LEARNER", "teacher")
    board = halab("progress", str(packed))
    told = " ".join(board.output.split())
    assert "1 of 10 items met." in told
    assert "This is the hand-in of Ada L. (ada)." in told
    assert "your own key would call itself that learner's" in str(halab("certify", str(packed)).exception)
    make_key(tmp_path / "issuer.key")
    run = halab("certify", str(packed), "--key", str(tmp_path / "issuer.key"))
    assert run.exit_code == 0, run.output
    (record,) = (packed.parent / "certificates").glob("*.json")
    said = json.loads(record.read_text())["record"]
    assert (said["learner"], said["name"], said["key"]) == ("ada", "Ada L.", "issuer")
    assert not (tmp_path / "instructors" / "journals").exists()


def test_what_nobody_predicted_counts_for_no_certificate(halab, whole_course):
    whole_course.measure(6, started="1999-01-01T00:00:00+00:00")
    told = " ".join(halab("certify").output.split())
    assert "nothing was predicted before any of its measurements. Next step: halab lab, then predict" in told


def test_a_wrong_key_is_told_before_anything_is_graded(halab, whole_course, tmp_path):
    (tmp_path / "key").write_text("nonsense")
    (tmp_path / "key").chmod(0o600)
    run = halab("certify", "--key", str(tmp_path / "key"))
    assert isinstance(run.exception, CourseError)
    assert "no private key" in run.exception.message
    assert "Grading" not in run.output


@pytest.mark.parametrize(
    "path_to", [("name",), ("learner",), ("journals", 5, "file"), ("exercises", 5, "halab")]
)
def test_nothing_in_a_certificate_steers_the_terminal(whole_course, tmp_path, path_to):
    data = json.loads(whole_course.certify().read_text())
    (tmp_path / "evil.json").write_text(
        json.dumps(altered(data, ("record", *path_to), "\x1b[2Jall is well.jsonl"))
    )
    (tmp_path / "odd.json").write_text(json.dumps(data | {"\x1b[2J": 1}))
    for name in ("evil.json", "odd.json"):
        run = CliRunner().invoke(app, ["verify", str(tmp_path / name)])
        assert run.exit_code == 1
        assert "\x1b[2J" not in run.output


def test_verify_says_it_in_words_and_by_its_exit_status(whole_course, tmp_path):
    path = whole_course.certify()
    run = CliRunner().invoke(app, ["verify", str(path), "--work", str(whole_course.work)])
    assert run.exit_code == 0, run.output
    assert "Ada Lovelace, learner ada" in run.output
    assert "Proven" in run.output
    assert "Not proven" in run.output
    data = json.loads(path.read_text())
    path.write_text(json.dumps(altered(data, ("record", "name"), "Eve")))
    run = CliRunner().invoke(app, ["verify", str(path)], env={"COLUMNS": "300"})
    assert run.exit_code == 1
    assert "something in the file was altered" in " ".join(run.output.split())


def test_key_makes_a_key_and_shows_its_public_half_only(tmp_path):
    path = tmp_path / "issuer.pem"
    run = CliRunner().invoke(app, ["key", str(path)])
    assert run.exit_code == 0
    assert read_key(path).public.fingerprint in run.output
    assert "BEGIN PUBLIC KEY" in run.output
    assert "PRIVATE" not in run.output
    assert isinstance(CliRunner().invoke(app, ["key", str(path)]).exception, CourseError)
