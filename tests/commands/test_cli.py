import os
import re
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from halab import cli

COMMANDS = sorted(typer.main.get_command(cli.app).commands)


def test_every_command_is_there_and_says_what_it_does():
    shown = CliRunner().invoke(cli.app, ["--help"], env={"COLUMNS": "200"}).output
    assert len(COMMANDS) == 31
    for command in COMMANDS:
        assert re.search(rf"│ {command} +[A-Z]\w+ .*[.\w]", shown), command


def test_every_command_stands_under_a_heading_of_its_room():
    shown = CliRunner().invoke(cli.app, ["--help"]).output
    headings = re.findall(r"╭─ ([A-Z][\w ]*?) ─", shown)
    assert headings == [
        "Options",
        "The course",
        "Progress and certificate",
        "A cluster",
        "Measuring it",
        "Watching it",
        "Protecting its data",
        "Asking your documents",
        "For instructors",
    ]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command):
    result = CliRunner().invoke(cli.app, [command, "--help"])
    assert result.exit_code == 0
    assert "Usage" in result.output


def test_an_error_becomes_a_message_a_hint_and_exit_status_1(tmp_path):
    run = subprocess.run(
        [sys.executable, "-m", "halab", "status"],
        env={"HALAB_HOME": str(tmp_path), "PATH": "/usr/bin"},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 1
    assert "Error: No cluster 'course' is running" in run.stderr
    assert "Hint:" in run.stderr
    assert "Traceback" not in run.stderr


HEAVY = [
    "IPython",
    "grpc",
    "matplotlib",
    "nbconvert",
    "nbgrader",
    "numpy",
    "pyarrow",
    "pymilvus",
    "scipy",
    "sklearn",
]
LOADED = f"""
import atexit, sys
atexit.register(lambda: print("loaded:", *(name for name in {HEAVY} if name in sys.modules)))
from halab.cli import main
main()
"""


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["progress"], ["hint", "06.1"], ["status"], ["doctor"], ["certify"]],
    ids=" ".join,
)
def test_a_command_that_only_tells_loads_nothing_heavy(arguments, tmp_path):
    """Each of these libraries takes a second and more on a busy machine before the first word is said."""
    own = {name: str(tmp_path / name) for name in ("HALAB_WORK", "HALAB_HOME")}
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments],
        env=os.environ | own,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines()[-1] == "loaded:", done.stderr


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (["grade", "--help"], ["用法：", "─ 参数", "─ 选项", "显示这份说明", "[默认：all]"]),
        (["grade", "--nope"], ["没有选项 --nope", "─ 错误", "用法详见"]),
        (["gradee"], ["没有命令 'gradee'。是不是 'grade'？"]),
        (["fault"], ["少了参数 'kind'。"]),
        (["probe", "--seconds", "x"], ["'--seconds' 的值不对：这里要填一个数"]),
    ],
)
def test_typers_own_words_are_in_the_learners_language(call, said):
    environment = os.environ | {"HALAB_LANG": "zh", "COLUMNS": "100"}
    ran = subprocess.run(
        [sys.executable, "-m", "halab", *call], capture_output=True, text=True, env=environment
    )
    assert [words for words in said if words not in ran.stdout + ran.stderr] == []
