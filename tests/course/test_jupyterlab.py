import sys
from pathlib import Path

import pytest

from halab.course import jupyterlab
from halab.course.jupyterlab import lab_command, lab_environment


def test_jupyterlab_serves_the_learner_s_folder_on_loopback_with_copies_on_first_opening():
    command = lab_command(Path("/somewhere/work"), 8899, browser=True)
    assert "--ServerApp.ip=127.0.0.1" in command
    assert "--ServerApp.port=8899" in command
    assert "--ServerApp.root_dir=/somewhere/work" in command
    assert any(part.endswith("course/00-start-here.ipynb") for part in command)
    assert any("WorkspaceContentsManager" in part for part in command)


def test_token_login_stays_on():
    command = lab_command(Path("/somewhere/work"), 8899, browser=True)
    assert not [part for part in command if "token" in part or "password" in part]


@pytest.mark.parametrize(
    ("display", "browser", "opened"), [(True, True, True), (True, False, False), (False, True, False)]
)
def test_a_browser_opens_only_where_one_can_and_is_wanted(monkeypatch, display, browser, opened):
    monkeypatch.setattr(jupyterlab, "has_display", lambda: display)
    assert ("--no-browser" not in lab_command(Path("w"), 8888, browser=browser)) == opened


def test_halab_and_this_python_come_first_on_the_path(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin")
    assert lab_environment(tmp_path)["PATH"] == f"{Path(sys.executable).parent}:/usr/bin"


def test_two_learners_of_one_account_share_no_settings(tmp_path):
    ada, bo = (lab_environment(tmp_path / name) for name in ("ada", "bo"))
    jupyter = [name for name in ada if name.startswith("JUPYTER")]
    assert len(jupyter) == 5
    for name in jupyter:
        assert ada[name] != bo[name]
        assert Path(ada[name]).is_relative_to(tmp_path / "ada" / ".halab")
