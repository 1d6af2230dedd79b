"""With a program in the place of systemd-run: no test here has met a real systemd."""

import pytest

from halab.grading.sandbox import scope as scope_module
from halab.grading.sandbox.box import Sandbox
from halab.grading.sandbox.isolation import isolations
from halab.grading.sandbox.scope import scope


@pytest.fixture
def systemd_run(monkeypatch, tmp_path):
    """Put a systemd-run first on the path. It notes its words and its bus, a call a line, and does this
    then with the command as `$@`.
    """
    calls = tmp_path / "calls"
    program = tmp_path / "bin" / "systemd-run"
    program.parent.mkdir()

    def install(then):
        note = f'echo "$XDG_RUNTIME_DIR $*" >> {calls}'
        program.write_text(f'#!/bin/sh\n{note}\nwhile [ "$1" != -- ]; do shift; done; shift\n{then}\n')
        program.chmod(0o755)
        scope.cache_clear()
        return lambda: calls.read_text().splitlines()

    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/of-a-user")
    yield install
    scope.cache_clear()


def look(source):
    """What a learner's cell prints in a new sandbox."""
    with Sandbox() as sandbox, sandbox.box("ada") as box:
        outputs, error = box.run(source, box.limit(30))
        assert error is None
        return outputs[0].text


@pytest.mark.grading
def test_a_sandbox_runs_in_a_scope_whose_limits_hold_for_all_that_a_learner_starts(systemd_run):
    calls = systemd_run('exec "$@"')
    assert look("import os\nprint('XDG_RUNTIME_DIR' in os.environ)") == "False\n"
    asked, started = calls()
    assert asked.endswith(" true")
    assert "halab.grading.sandbox.host" in started
    for words in asked, started:
        assert words.startswith("/run/of-a-user ")
        assert " --scope " in words
        for limit in ("TasksMax=64", f"MemoryMax={3 * 1024**3}", "MemorySwapMax=0", "CPUWeight=100"):
            assert f" --property {limit} " in words


@pytest.mark.grading
def test_systemd_that_makes_no_scope_any_more_costs_no_grade(systemd_run):
    calls = systemd_run('[ "$*" = "${*%true}true" ] && exec "$@"; exit 1')
    assert look("print('on')") == "on\n"
    assert len(calls()) == 2


@pytest.mark.parametrize("then", ["exit 1", "exec sleep 600"])
def test_without_systemd_all_is_as_it_was_and_nobody_asks_twice(systemd_run, monkeypatch, then):
    monkeypatch.setattr(scope_module, "_TIMEOUT", 1.0)
    calls = systemd_run(then)
    for kind in [*isolations(), *isolations()]:
        assert not any("systemd-run" in word for word in kind.command(3, "view"))
    assert len(calls()) == 1


def test_root_asks_the_machines_systemd_and_others_their_own(systemd_run, monkeypatch):
    calls = systemd_run("exit 0")
    for user in (0, 1000):
        monkeypatch.setattr(scope_module.os, "geteuid", lambda user=user: user)
        scope.cache_clear()
        assert scope()
    root, other = calls()
    assert " --user " not in root
    assert " --user " in other
