"""Opens JupyterLab on the learner's own folder, with settings of its own and `halab` on the PATH."""

from __future__ import annotations

import json
import os
import sys
from importlib.metadata import entry_points
from pathlib import Path

from babel.core import get_global

from halab.course.paths import course_root, work_dir
from halab.course.workspace import make_workspace, open_copy
from halab.translation import Language, gettext, language, remember_language, speaking

__all__ = ["START", "lab_command", "lab_environment", "set_lab_language", "start_lab"]

# nbgrader's pages for instructors; in a learner's JupyterLab they only fail and log errors.
_FOR_INSTRUCTORS = ("assignment_list", "course_list", "formgrader")

START = "course/00-start-here.ipynb"

# A login shell reads its profile first, which often sets PATH anew; then it becomes the user's own shell.
_SHELL = 'PATH="$1:$PATH"; export PATH; exec "$0" -i'


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
        f"--LabApp.extra_labextensions_path={Path(__file__).with_name('lab_extensions')}",
        f"--LabApp.app_settings_dir={Path(__file__).with_name('lab_settings')}",
        f"--ServerApp.terminado_settings={{'shell_command': {_shell_command()}}}",
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


def lab_environment(work: Path) -> dict[str, str]:
    """The variables that the server, its terminals and its kernels run with, beside those of the user.

    The course and the learner's folder; the folder of the `halab` command first on the PATH; and Jupyter's
    configuration, settings, layout and state below the learner's folder, so that neither the user's other
    JupyterLab nor another learner of the same account is met here.
    """
    jupyter = work / ".halab" / "jupyter"
    return {
        "HALAB_COURSE": str(course_root()),
        "HALAB_WORK": str(work),
        "PATH": os.pathsep.join((str(_programs()), os.environ.get("PATH", os.defpath))),
        "JUPYTER_CONFIG_DIR": str(jupyter / "config"),
        "JUPYTER_DATA_DIR": str(jupyter / "data"),
        "JUPYTER_RUNTIME_DIR": str(jupyter / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(jupyter / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(jupyter / "workspaces"),
    }


def _programs() -> Path:
    """The folder of this environment's commands; a link to Python is not followed out of it."""
    return Path(sys.executable).parent


def _shell_command() -> list[str]:
    """A terminal's shell, with the course's commands first on its PATH whatever the profile says."""
    return ["sh", "-lc", _SHELL, os.environ.get("SHELL") or "sh", str(_programs())]


def start_lab(port: int = 8888, *, browser: bool = True) -> None:
    """Become JupyterLab: this process is replaced, so Ctrl-C and signals reach it as usual.

    It prints its URL with the token. Without a display no browser is opened.
    """
    work = make_workspace()
    open_copy(START)
    if chosen := os.environ.pop("HALAB_LANG", ""):
        remember_language(chosen)  # and no variable, so that the switch on the start page can change it
    set_lab_language(language())
    os.environ |= lab_environment(work)
    command = lab_command(work, port, browser=browser)
    os.execv(command[0], command)


def set_lab_language(chosen: Language) -> None:
    """Let JupyterLab's own menus and an exercise's tab speak the course's language, from the next loading of
    the page on.
    """
    folders = lab_environment(work_dir()) | os.environ
    _write_json(
        Path(folders["JUPYTERLAB_SETTINGS_DIR"])
        / "@jupyterlab/translation-extension/plugin.jupyterlab-settings",
        {"locale": _lab_locale(chosen)},
    )
    with speaking(chosen):
        words = {"halabExercise": gettext("Exercise")}  # for lab_extensions/halab
    _write_json(Path(folders["JUPYTER_CONFIG_DIR"]) / "labconfig" / "page_config.json", words)


def _write_json(file: Path, content: dict[str, str]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content), encoding="utf-8")


def _lab_locale(chosen: Language) -> str:
    """A language as its pack for JupyterLab is called: "zh_CN" for "zh"; "default" without one."""
    likely = get_global("likely_subtags").get(chosen, chosen).split("_")  # zh_Hans_CN
    name = f"{chosen}_{likely[-1]}"
    packs = entry_points(group="jupyterlab.languagepack")
    return name if name in packs.names else "default"


def has_display() -> bool:
    """Whether a browser window could open here."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
