"""Opens JupyterLab on the learner's own folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from halab.course.paths import course_root
from halab.course.workspace import make_workspace, open_copy

__all__ = ["START", "lab_command", "start_lab"]

# nbgrader's pages for instructors; in a learner's JupyterLab they only fail and log errors.
_FOR_INSTRUCTORS = ("assignment_list", "course_list", "formgrader")

START = "course/00-start-here.ipynb"


def lab_command(work: Path, port: int, *, browser: bool) -> list[str]:
    """The command that serves `work` on loopback, with copies made on first opening. Token login stays on."""
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        f"--ServerApp.root_dir={work}",
        f"--ServerApp.default_url=/lab/tree/{START}",
        f"--LabApp.default_url=/lab/tree/{START}",
        "--ServerApp.contents_manager_class=halab.course.contents_manager.WorkspaceContentsManager",
        "--LabApp.extension_manager=readonly",  # the other one asks PyPI
        f"--LabApp.app_settings_dir={Path(__file__).with_name('lab_settings')}",
    ]
    command += [
        f"--ServerApp.jpserver_extensions=nbgrader.server_extensions.{name}=False"
        for name in _FOR_INSTRUCTORS
    ]
    if not (browser and has_display()):
        command.append("--no-browser")
    if os.name == "posix" and os.geteuid() == 0:
        command.append("--allow-root")  # Jupyter refuses root otherwise, and in a container one often is
    return command


def start_lab(port: int = 8888, *, browser: bool = True) -> None:
    """Become JupyterLab: this process is replaced, so Ctrl-C and signals reach it as usual.

    It prints its URL with the token. Without a display no browser is opened. The kernels find the course
    through HALAB_COURSE, wherever they run.
    """
    work = make_workspace()
    open_copy(START)
    os.environ["HALAB_COURSE"] = str(course_root())
    os.environ["HALAB_WORK"] = str(work)
    command = lab_command(work, port, browser=browser)
    os.execv(command[0], command)


def has_display() -> bool:
    """Whether a browser window could open here."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
