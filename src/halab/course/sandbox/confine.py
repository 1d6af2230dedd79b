"""What a process does to itself before a learner's code runs in it: namespaces, Landlock, resource limits.

Linux only; elsewhere each function but `limit` says that it could do nothing. Python has no binding for these
calls (os.unshare came with 3.12), so they go to the C library.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

__all__ = [
    "LIMITS",
    "PROCESSES",
    "SCRATCH",
    "SCRATCH_SIZE",
    "adopt_orphans",
    "die_with_parent",
    "drop_capabilities",
    "has_landlock",
    "landlock",
    "limit",
    "new_namespaces",
]

PROCESSES = 64
"""Processes and threads a learner's process may have."""

CPU = 60
"""Seconds of computing time."""

SCRATCH = "/scratch"
"""The one folder a learner's process in bubblewrap may write to: empty, in memory, and its own."""

SCRATCH_SIZE = 64 * 1024**2  # bytes

LIMITS = {
    resource.RLIMIT_AS: 3 * 1024**3,  # bytes of address space: NumPy and SciPy with room to spare
    resource.RLIMIT_FSIZE: SCRATCH_SIZE,  # bytes of a file
    resource.RLIMIT_NOFILE: 256,
    resource.RLIMIT_CORE: 0,
}

_NAMESPACES = 0x00020000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000  # mount, IPC, user, PID, network
_PDEATHSIG, _DUMPABLE, _SUBREAPER, _NO_NEW_PRIVILEGES = 1, 4, 36, 38  # of prctl
_CAPSET, _CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 126, 444, 445, 446  # system calls, x86-64
if os.uname().machine == "aarch64":
    _CAPSET = 91

_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent() -> None:
    """Have the system kill this process when its parent ends."""
    if _LIBC:
        _LIBC.prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent ends, so that none gets out of sight."""
    if _LIBC:
        _LIBC.prctl(_SUBREAPER, 1, 0, 0, 0)


def new_namespaces(*, scratch: bool) -> bool:
    """Give the next child processes, a network and capabilities of its own; with `scratch`, an empty SCRATCH.

    False if this system allows no such thing: then not everything asked for is done.
    """
    user, group = os.getuid(), os.getgid()
    if _LIBC is None:
        return False
    _LIBC.prctl(_DUMPABLE, 1, 0, 0, 0)  # after a change of user the next lines would be refused
    if _LIBC.unshare(_NAMESPACES) != 0:
        return False
    maps = (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1"))
    try:
        for name, text in maps:
            Path(f"/proc/self/{name}").write_text(text)
    except OSError:
        return False
    options = f"size={SCRATCH_SIZE}".encode()
    return not scratch or _LIBC.mount(b"tmpfs", SCRATCH.encode(), b"tmpfs", 0, options) == 0


def drop_capabilities() -> None:
    """Give up every capability, for good."""
    if _LIBC:
        _LIBC.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        _LIBC.syscall(_CAPSET, struct.pack("Ii", 0x20080522, 0), bytes(24))


def limit(*, processes: bool) -> None:
    """Set LIMITS on this process and its children; with `processes` also PROCESSES."""
    limits = LIMITS | ({resource.RLIMIT_NPROC: PROCESSES} if processes else {})
    for what, most in limits.items():
        with contextlib.suppress(ValueError, OSError):  # a system that lacks this limit, or has a lower one
            resource.setrlimit(what, (most, most))
    with contextlib.suppress(ValueError, OSError):
        # The first limit tells by its signal why the process ended, the second cannot be ignored.
        resource.setrlimit(resource.RLIMIT_CPU, (CPU, CPU + 2))


def has_landlock() -> int:
    """The version of Landlock this system has, 0 for none."""
    return max(0, int(_LIBC.syscall(_CREATE_RULESET, None, 0, 1))) if _LIBC else 0


def landlock(readable: Iterable[str], writable: Iterable[str]) -> bool:
    """Shut this process out of every file but these, of TCP, and of other processes. False if Linux lacks it.

    Since Linux 5.13; TCP since 6.7, signals and abstract sockets since 6.12
    (https://docs.kernel.org/userspace-api/landlock.html).
    """
    version = has_landlock()
    if _LIBC is None or not version:
        return False
    # Access rights to files have grown with each version.
    files = (1 << {1: 13, 2: 14}.get(version, 15 if version < 5 else 16)) - 1
    rules = struct.pack("QQQ", files, 3 if version >= 4 else 0, 3 if version >= 6 else 0)
    ruleset = _LIBC.syscall(_CREATE_RULESET, rules, 8 if version < 4 else 16 if version < 6 else 24, 0)
    read = 1 << 0 | 1 << 2 | 1 << 3  # execute, read a file, list a folder
    for path, access in [(one, read) for one in readable] + [(one, files) for one in writable]:
        _allow(ruleset, path, access & files)
    _LIBC.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    done = _LIBC.syscall(_RESTRICT_SELF, ruleset, 0) == 0
    os.close(ruleset)
    return bool(done)


def _allow(ruleset: int, path: str, access: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:  # a folder this system does not have
        return
    if not Path(path).is_dir():
        access &= 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14  # what can be done to a file
    assert _LIBC is not None
    _LIBC.syscall(_ADD_RULE, ruleset, 1, struct.pack("=Qi", access, handle), 0)
    os.close(handle)
