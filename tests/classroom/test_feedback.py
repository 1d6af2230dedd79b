"""A page of feedback for each learner, in their language, and what `halab feedback` makes of one."""

import re
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from halab.classroom.class_grading import grade_class
from halab.classroom.feedback import feedback_text, read_feedback, write_feedback
from halab.cli import app
from halab.errors import CourseError
from support.small_class import grade_fake, read_class


@pytest.fixture
def pages(class_folder, tmp_path):
    report = grade_class(read_class(class_folder), tmp_path / "out", grade=grade_fake)
    named = replace(report.submitted, names={"ada": "<b>王伟</b>"})
    return write_feedback(replace(report, submitted=named), tmp_path, {"bo": "zh"})


def test_a_page_has_the_points_of_each_check_and_what_is_missing(pages):
    everybody = [f"feedback-{learner}" for learner in ("ada", "bo", "chen", "dee")]
    assert sorted(path.stem for path in pages.iterdir()) == everybody
    ada = (pages / "feedback-ada.html").read_text()
    assert "&lt;b&gt;王伟&lt;/b&gt; (ada)" in ada
    assert "<b>" not in ada
    assert "<td>✗ Two</td><td>0 of 3</td><td>=It holds.</td>" in ada
    assert "<td>✓ Two</td><td>3 of 3</td>" in ada
    assert "It could not be graded" in (pages / "feedback-chen.html").read_text()
    assert not re.search(r"https?:|src=|\x1b", ada)


def test_what_late_work_lost_is_said(class_folder, tmp_path):
    report = grade_class(read_class(class_folder), tmp_path / "out", grade=grade_fake)
    late = replace(report, results=tuple(replace(one, penalty=2.0) for one in report.results))
    page = write_feedback(late, tmp_path, {}) / "feedback-ada.html"
    assert "It came late: 2 points were taken off." in page.read_text()
    assert "It came late" in feedback_text(read_feedback(page))


def test_what_an_instructor_wrote_is_on_it(class_folder, tmp_path):
    report = grade_class(read_class(class_folder), tmp_path / "out", grade=grade_fake)
    wrote = tuple(replace(one, comments=(("06.1", "<i>Well</i> argued"),)) for one in report.results)
    page = write_feedback(replace(report, results=wrote), tmp_path, {}) / "feedback-ada.html"
    assert "<p>Comment on 06.1: &lt;i&gt;Well&lt;/i&gt; argued</p>" in page.read_text()
    assert "Comment on 06.1: <i>Well</i> argued" in feedback_text(read_feedback(page))


def test_it_is_in_the_learner_s_own_language(pages):
    bo = (pages / "feedback-bo.html").read_text()
    assert 'lang="zh-Hans"' in bo
    assert "故障转移的时间线" in bo
    assert "评分反馈" in feedback_text(read_feedback(pages / "feedback-bo.html"))


def test_the_command_prints_it_and_opens_it(pages, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    done = CliRunner().invoke(app, ["feedback", str(pages / "feedback-ada.html")])
    assert done.exit_code == 0, done.output
    assert "✗ Two" in done.stdout
    assert opened == [(pages / "feedback-ada.html").as_uri()]


def test_what_is_no_feedback_is_told(tmp_path):
    empty = '<script type="application/json" id="feedback">[]</script>'
    for name, text in (("a.html", "<p>no</p>"), ("b.html", empty)):
        (tmp_path / name).write_text(text)
        with pytest.raises(CourseError, match="is no feedback"):
            read_feedback(tmp_path / name)
    with pytest.raises(CourseError, match="cannot be read"):
        read_feedback(tmp_path / "absent.html")
