import pytest

from halab.course.paths import course_root, state_dir, work_dir
from halab.errors import CourseError


def test_the_course_is_found_above_the_package_without_any_setting(monkeypatch, tmp_path):
    monkeypatch.delenv("HALAB_COURSE", raising=False)
    monkeypatch.chdir(tmp_path)
    assert (course_root() / "pyproject.toml").is_file()


def test_the_environment_names_another_course(course):
    assert course_root() == course
    assert work_dir() == course / "work"


def test_a_named_folder_that_is_no_course_is_refused_with_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("HALAB_COURSE", str(tmp_path))
    with pytest.raises(CourseError, match="cards/ and course/") as caught:
        course_root()
    assert caught.value.hint


def test_the_learner_s_folder_can_lie_elsewhere(course, monkeypatch, tmp_path):
    monkeypatch.setenv("HALAB_WORK", str(tmp_path / "mine"))
    assert work_dir() == tmp_path / "mine"
    assert state_dir() == tmp_path / "mine" / ".halab"
