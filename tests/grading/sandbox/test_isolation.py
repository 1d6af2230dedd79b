import sys
from pathlib import Path

import pytest

from halab.course.paths import course_root
from halab.grading.sandbox import confine, isolation


@pytest.fixture
def machine(monkeypatch):
    """Set who asks, whether bubblewrap is installed, and whether Linux has Landlock."""

    def set_up(*, root, bubblewrap, landlock=7):
        monkeypatch.setattr(isolation.os, "geteuid", lambda: 0 if root else 1000)
        monkeypatch.setattr(
            isolation.shutil, "which", lambda name: f"/usr/bin/{name}" if bubblewrap else None
        )
        monkeypatch.setattr(confine, "landlock_version", lambda: landlock)
        monkeypatch.setattr(isolation, "scope", tuple)
        return list(isolation.isolations())

    return set_up


def test_the_strongest_comes_first_and_plain_limits_are_always_there(machine):
    assert [kind.name for kind in machine(root=True, bubblewrap=True)] == [
        "bubblewrap",
        "bubblewrap",
        "process limits",
    ]
    assert [kind.name for kind in machine(root=False, bubblewrap=True)] == ["bubblewrap", "process limits"]
    assert [kind.name for kind in machine(root=False, bubblewrap=False)] == ["process limits"]


def test_root_gives_up_being_root(machine):
    first, *_ = machine(root=True, bubblewrap=True)
    assert first.user
    assert str(first.user) in first.command(3, "view")


def test_only_the_weaker_kind_says_that_it_is_weaker_and_what_that_means(machine):
    *strong, weak = machine(root=False, bubblewrap=True)
    assert [kind.warning for kind in strong] == [""]
    assert weak.warning.startswith("Isolation is weaker: bubblewrap does not work here")
    (weak,) = machine(root=False, bubblewrap=False)
    assert "bubblewrap is not installed" in weak.warning
    assert "system's files can be read" in weak.warning
    (weak,) = machine(root=False, bubblewrap=False, landlock=0)
    assert "files of yours, the course's answers among them, can be read and changed" in weak.warning


def test_a_course_that_is_installed_beside_python_is_hidden_there_or_the_warning_says_so(
    machine, monkeypatch
):
    package = Path(sys.prefix) / "lib" / "halab"
    monkeypatch.setattr(isolation, "_PACKAGE", package)
    *strong, weak = machine(root=True, bubblewrap=True)
    for kind in strong:
        words = kind.command(3, "view")
        assert words.index(str(package)) > words.index(str(Path(sys.prefix)))
        assert words[words.index(str(package)) - 1] == "--tmpfs"
    assert "the system's files and the course's answers can be read" in weak.warning


def test_neither_the_course_nor_the_home_folder_nor_anything_above_is_shown(machine):
    for kind in machine(root=True, bubblewrap=True):
        words = kind.command(3, "view")
        shown = {words[index + 1] for index, word in enumerate(words) if word.startswith("--ro-bind")}
        shown |= set(kind.readable)
        for path in (course_root(), Path.home()):
            assert not shown & {str(one) for one in (path, *path.parents)}


def test_a_link_to_python_in_the_home_folder_does_not_show_the_home_folder(machine, tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(Path(sys.executable).resolve())
    (tmp_path / "venv").mkdir()
    link = tmp_path / "venv" / "python"
    link.symlink_to(tmp_path / "bin" / "python")
    monkeypatch.setattr(isolation.sys, "executable", str(link))
    (weak,) = machine(root=False, bubblewrap=False)
    assert str(tmp_path / "bin") in weak.readable
    assert str(tmp_path) not in weak.readable
