"""Certificates for a class, with a grader that takes no time."""

import os
import shutil

import pytest
from typer.testing import CliRunner

from halab.certificate import assessment
from halab.certificate.signing_keys import make_key, read_key
from halab.certificate.verification import verify
from halab.classroom import class_certificates
from halab.classroom.hand_in import hand_in
from halab.cli import app
from halab.translation import speaking
from support.whole_course import learner_of, quick_grader, real_path  # noqa: F401 - fixtures


@pytest.fixture
def folder(learner_of, tmp_path):  # noqa: F811
    """ada has all, bo lacks a measurement, chen handed in ada's work, dee is on the list only."""
    made = tmp_path / "class"
    made.mkdir()
    bo = learner_of("bo")
    bo.journal(3).unlink()
    shutil.copytree(bo.work, made / "bo")
    ada = learner_of("ada")
    shutil.copytree(ada.work, made / "ada")
    (made / "students.csv").write_text("id,name\nada,王伟\nbo,Bo\ndee,Dee\n")
    return made


@pytest.fixture
def command(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    make_key(tmp_path / "issuer.key")

    def quick():
        return assessment.assess(quick_grader)

    monkeypatch.setattr(class_certificates.certify_class, "__kwdefaults__", {
        **class_certificates.certify_class.__kwdefaults__, "assess_work": quick,
    })  # fmt: skip

    def invoke(*more):
        names = ("--organisation", "Lake School", "--person", "Dr. Q", "--hours", "12")
        key = ("--key", str(tmp_path / "issuer.key"))
        return CliRunner().invoke(app, ["class", "certify", str(folder), *key, *names, *more])

    return invoke


def records(folder):
    return sorted(folder.with_name("class-certificates").glob("*.json"))


def test_who_has_all_gets_one_and_the_others_are_told_what_is_missing(folder, command, tmp_path):
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    done = command()
    assert done.exit_code == 0, done.output
    assert done.stderr.splitlines() == ["1 of 2: ada", "2 of 2: bo"]
    (file,) = records(folder)
    (result,) = verify([file], read_key(tmp_path / "issuer.key").public)
    assert result.ok, result.failures
    record = result.record
    assert (record.name, record.learner, record.organisation) == ("王伟", "ada", "Lake School")
    assert record.course.hours == 12
    rows = {row.split("│")[1].strip(): row for row in done.stdout.splitlines() if row.startswith("│")}
    assert "certified" in rows["王伟 (ada)"]
    assert "9 of 10" in rows["Bo (bo)"]
    assert "Card 3: its lab is not measured" in rows["Bo (bo)"]
    assert "No whole work was handed in" in rows["Dee (dee)"]
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert "HALAB_WORK" in os.environ


def test_a_certificate_is_in_the_language_that_its_learner_learned_in(folder, command):
    shutil.rmtree(folder / "ada")
    with speaking("zh"):
        hand_in(folder=folder)
    assert command().exit_code == 0
    (page,) = records(folder)[0].parent.glob("certificate-ada-*[0-9].html")
    assert '<html lang="zh-Hans"' in page.read_text()


def test_in_chinese_the_table_and_its_reasons_are_chinese(folder, command, monkeypatch):
    monkeypatch.setenv("HALAB_LANG", "zh")
    monkeypatch.setenv("COLUMNS", "400")  # wide enough for every sentence
    shutil.copytree(folder / "ada", folder / "chen")
    table = command().stdout
    assert "卡片 3：这一课还没有在真实集群上实测。" in table
    assert "和 chen 的相同：" in table
    assert "暂不发" in table
    assert "没有交来全部的成果" in table


def test_what_another_learner_measured_is_said_before_it_is_signed(learner_of, folder, command):  # noqa: F811
    """In nobody else's folder: no two share it."""
    zoe = learner_of("zoe")
    zoe.measure(6, by="bo")
    shutil.copytree(zoe.work, folder / "zoe")
    done = command()
    assert done.exit_code == 1
    assert "Measured by bo, not by zoe" in done.stdout
    assert not [record for record in records(folder) if "-zoe-" in record.name]


def test_who_began_nothing_is_not_called_a_copyist(learner_of, folder, command):  # noqa: F811
    """Two who hand in what was handed out share it with everybody; each problem is said once."""
    for name in ("gus", "hana"):
        one = learner_of(name)
        for card in (1, 2):
            one.earn(card, 0.0, learner="nobody")
        shutil.copytree(one.work, folder / name)
    told = command().stdout
    rows = {row.split("│")[1].strip(): row for row in told.splitlines() if row.startswith("│")}
    assert "not complete" in rows["gus"]
    assert "Cards 1, 2: the exercise has 0" in rows["gus"]
    assert "of gus" not in told


def test_a_second_run_makes_no_second_certificate(folder, command):
    command()
    first = records(folder)
    done = command()
    assert done.exit_code == 0
    assert "certified before" in done.stdout
    assert records(folder) == first


def test_what_some_share_is_signed_for_nobody_until_somebody_decides(folder, command):
    for copy in ("chen", "dora"):
        shutil.copytree(folder / "ada", folder / copy)
    done = command()
    assert done.exit_code == 1
    assert records(folder) == []
    assert "The same as chen, dora's:" in " ".join(done.stdout.split())
    assert "Withheld from ada:" in done.stderr  # chen has no points: the numbers are another's
    assert command("--accept", "ada").exit_code == 0
    (file,) = records(folder)
    assert "-ada-" in file.name
    assert "The same as ada, dora's:" in command().stdout  # chen, beside the certificate that is there


def test_who_accepts_somebody_unknown_is_told(command):
    done = command("--accept", "zoe")
    assert done.exit_code == 1
    assert "no whole work of zoe" in str(done.exception)


def test_a_certificate_can_be_taken_back(folder, command, tmp_path):
    command()
    (file,) = records(folder)
    listed, key = tmp_path / "revoked.json", tmp_path / "issuer.key"
    arguments = ["class", "revoke", str(file), "--key", str(key), "--reason", "copied", "--list", str(listed)]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    (result,) = verify([file], read_key(key).public, revoked=listed)
    assert "copied" in " ".join(result.failures)
