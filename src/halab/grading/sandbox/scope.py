"""A control group of its own for each sandbox, where systemd makes one: limits on all that run in it.

A sandbox has one learner at a time, so its scope bounds all processes and sessions of that learner, and gives
them together one share of the processor. The host in it watches the same limits and says which was exceeded;
those of the scope are wider, and hold between two of its looks. Where systemd makes no scope, the host's hold
alone.

The properties: systemd.resource-control(5), and `OOMPolicy=` in systemd.scope(5).
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess

from halab.grading.sandbox import confine

__all__ = ["scope"]

_PROPERTIES = (
    f"TasksMax={2 * confine.PROCESSES}",
    f"MemoryMax={confine.MEMORY + 1024**3}",
    "MemorySwapMax=0",
    "CPUWeight=100",  # as every other sandbox
    "Delegate=yes",  # else systemd ends the whole scope, the host too, when its memory is used up
)
_BUS = ("XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS")  # where systemd-run looks for the user's systemd
_TIMEOUT = 5.0  # seconds that systemd may take to make a scope: milliseconds, where it works


@functools.cache
def scope() -> tuple[str, ...]:
    """What goes before a command so that it runs in a scope; nothing where systemd makes none."""
    systemd_run, env = shutil.which("systemd-run"), shutil.which("env")
    if not (systemd_run and env):
        return ()
    whose = [] if os.geteuid() == 0 else ["--user"]
    limits = [word for limit in _PROPERTIES for word in ("--property", limit)]
    start = [systemd_run, *whose, "--scope", "--quiet", "--collect", "--no-ask-password", *limits, "--"]
    bus = [f"{name}={os.environ[name]}" for name in _BUS if name in os.environ]
    # A sandbox starts with an environment that knows no bus; systemd-run alone is told of it.
    before = (env, *bus, *start, env, *(word for name in _BUS for word in ("-u", name)))
    return before if _works(before) else ()


def _works(before: tuple[str, ...]) -> bool:
    try:
        nothing = subprocess.DEVNULL
        tried = subprocess.run(
            [*before, "true"], stdin=nothing, stdout=nothing, stderr=nothing, timeout=_TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return tried.returncode == 0
