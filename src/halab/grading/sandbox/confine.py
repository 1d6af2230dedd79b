"""What a process does to itself before a learner's code runs in it: namespaces, Landlock, seccomp, limits.

Linux only; elsewhere each function but `set_resource_limits` returns that it could do nothing. Python has no
binding for these calls (os.unshare came with 3.12), so they go to the C library.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import resource
import signal
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

__all__ = [
    "CPU",
    "FILES",
    "LIMITS",
    "MEMORY",
    "PROCESSES",
    "SCRATCH",
    "SCRATCH_SIZE",
    "adopt_orphans",
    "apply_landlock",
    "die_with_parent",
    "drop_capabilities",
    "install_seccomp_filter",
    "landlock_version",
    "new_namespaces",
    "prefer_as_oom_victim",
    "set_resource_limits",
]

PROCESSES = 32
"""Processes and threads a learner's process may have."""

CPU = 60
"""Seconds of computing time, of all of them together."""

MEMORY = 2 * 1024**3
"""Bytes they may use together."""

SCRATCH = "/scratch"
"""The one folder a learner's process in bubblewrap may write to: empty, in memory, and its own."""

SCRATCH_SIZE = 64 * 1024**2  # bytes

FILES = 10_000
"""Files a learner's processes may make: each takes a kilobyte of the system's own memory."""

LIMITS = {
    resource.RLIMIT_AS: 3 * 1024**3,  # bytes of address space: NumPy and SciPy with room to spare
    resource.RLIMIT_FSIZE: SCRATCH_SIZE,  # bytes of a file
    resource.RLIMIT_NOFILE: 256,
    resource.RLIMIT_CORE: 0,
}

_NAMESPACES = 0x00020000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000  # mount, IPC, user, PID, network
_OTHER_NAMESPACES = 0x02000000 | 0x04000000  # cgroup, UTS
_PDEATHSIG, _DUMPABLE, _SECCOMP, _SUBREAPER, _NO_NEW_PRIVILEGES = 1, 4, 22, 36, 38  # of prctl
_MOUNT_SETATTR, _CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 442, 444, 445, 446  # system calls
_CAPSET = 91 if os.uname().machine == "aarch64" else 126
_CLONE3 = 435

# Of seccomp: the name of the architecture, and the numbers of clone, prctl, socket and mmap.
_ARCHITECTURES = {"x86_64": (0xC000003E, 56, 157, 41, 9), "aarch64": (0xC00000B7, 220, 167, 198, 222)}

# setpgid and setsid: they do nothing and say that all is well. Each session is a group of its own to the
# scheduler (sched_autogroup), so 25 of them would get 25 times as much of the machine as a neighbour,
# whatever their priority.
_IGNORED = {"x86_64": (109, 112), "aarch64": (154, 157)}

# rt_sigaction: for SIGCHLD it does nothing either. Children of a parent that ignores that signal vanish with
# the time they used; else they are there, ended, until somebody waits for them and is given their time.
_SIGACTION = {"x86_64": 13, "aarch64": 134}
_SHARED_ANONYMOUS = 0x21  # of mmap: memory that stays after it was let go, in no process' count

# System calls that are refused, by number.
_REFUSED = {
    "x86_64": (
        # Memory of no process: memfd_create, memfd_secret, shmget, mq_open, semget, msgget, and keyrings.
        319, 447, 29, 240, 64, 68, 248, 249, 250,
        # Namespaces and mounts: unshare, setns, mount, umount2, pivot_root, chroot,
        # open_tree, move_mount, fsopen.
        272, 308, 165, 166, 155, 161, 428, 429, 430,
        # Other processes: ptrace, process_vm_readv, process_vm_writev, pidfd_getfd. With a history of holes:
        # bpf, userfaultfd, perf_event_open, io_uring_setup, open_by_handle_at.
        101, 310, 311, 438, 321, 323, 298, 425, 304,
    ),
    "aarch64": (  # the same
        279, 447, 194, 180, 190, 186, 217, 218, 219,
        97, 268, 40, 39, 41, 51, 428, 429, 430,
        117, 270, 271, 438, 280, 282, 241, 425, 265,
    ),
}  # fmt: skip

_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent() -> None:
    """Have the system kill this process when its parent ends."""
    if _LIBC:
        _LIBC.prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent ends, so that none gets out of sight."""
    if _LIBC:
        _LIBC.prctl(_SUBREAPER, 1, 0, 0, 0)


def prefer_as_oom_victim() -> None:
    """Where memory is short all the same, have the system take this process and not another."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def new_namespaces(scratch: str) -> bool:
    """Give the next child processes, a network and capabilities of its own, and files it cannot change but in
    `scratch`, which is empty.

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
    # Landlock leaves the rights and times of files open to change: for that, every mount has to be read-only.
    read_only = struct.pack("QQQQ", 1, 0, 0, 0)
    options = f"size={SCRATCH_SIZE},nr_inodes={FILES}".encode()
    sealed = (
        _LIBC.syscall(_MOUNT_SETATTR, -100, b"/", 0x8000, read_only, len(read_only)) == 0
    )  # and all below
    # Without devices and set-UID programs.
    return sealed and bool(_LIBC.mount(b"tmpfs", scratch.encode(), b"tmpfs", 6, options) == 0)


def drop_capabilities() -> None:
    """Give up every capability, for good."""
    if _LIBC:
        _LIBC.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        _LIBC.syscall(_CAPSET, struct.pack("Ii", 0x20080522, 0), bytes(24))


def install_seccomp_filter() -> bool:
    """Have the system refuse, for good, what no exercise needs: _REFUSED, further namespaces, outliving the
    parent, and every new socket but a pair of its own: a socket by path reaches the user's other programs,
    and Landlock has no right for it. False on other machines than these two.

    A system call refused cannot be abused. Needs drop_capabilities first.
    """
    machine = os.uname().machine
    if _LIBC is None or machine not in _ARCHITECTURES:
        return False
    architecture, clone, prctl, new_socket, mmap = _ARCHITECTURES[machine]
    load, equal, at_least, any_bit, mask, answer = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
    allow, refuse, no_such_call, nothing_done = (
        (answer, 0, 0, verdict)
        for verdict in (0x7FFF0000, 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS, 0x00050000)
    )
    # Each step: what to do, how many steps to skip if it is so, how many if not, and with what.
    steps = [(load, 0, 0, 4), (equal, 1, 0, architecture), refuse]
    steps += [(load, 0, 0, 0), (at_least, 0, 1, 1 << 30), refuse]  # x86-64 has a second way to number calls
    steps += [
        (equal, 0, 1, _CLONE3),
        no_such_call,
    ]  # its flags are out of sight; the C library then uses clone
    for number in (*_REFUSED[machine], new_socket):
        steps += [(equal, 0, 1, number), refuse]
    for number in _IGNORED[machine]:
        steps += [(equal, 0, 1, number), nothing_done]
    # The second argument, in two halves, is null where the signal is only asked about.
    steps += [(equal, 0, 8, _SIGACTION[machine]), (load, 0, 0, 16), (equal, 0, 5, signal.SIGCHLD)]
    steps += [(load, 0, 0, 24), (equal, 0, 2, 0), (load, 0, 0, 28), (equal, 1, 0, 0), nothing_done, allow]
    flags = 16 + 3 * 8  # of the arguments, eight bytes each, the fourth
    steps += [(equal, 0, 5, mmap), (load, 0, 0, flags), (mask, 0, 0, _SHARED_ANONYMOUS)]
    steps += [(equal, 0, 1, _SHARED_ANONYMOUS), refuse, allow]
    by_first_argument = {
        clone: (any_bit, 0, 1, _NAMESPACES | _OTHER_NAMESPACES),
        prctl: (equal, 0, 1, _PDEATHSIG),
    }
    for number, condition in by_first_argument.items():
        steps += [(equal, 0, 4, number), (load, 0, 0, 16), condition, refuse, allow]
    steps.append(allow)
    body = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(body))
    return bool(_LIBC.prctl(_SECCOMP, 2, program, 0, 0) == 0)


def set_resource_limits(*, processes: bool) -> None:
    """Set LIMITS on this process and its children; with `processes` also PROCESSES."""
    limits = LIMITS | ({resource.RLIMIT_NPROC: PROCESSES} if processes else {})
    for what, most in limits.items():
        with contextlib.suppress(ValueError, OSError):  # a system that lacks this limit, or has a lower one
            resource.setrlimit(what, (most, most))
    with contextlib.suppress(ValueError, OSError):
        # Of one process; the host looks after all of them together, and can say so.
        resource.setrlimit(resource.RLIMIT_CPU, (CPU + 2, CPU + 2))


def landlock_version() -> int:
    """The version of Landlock this system has, 0 for none."""
    return max(0, int(_LIBC.syscall(_CREATE_RULESET, None, 0, 1))) if _LIBC else 0


def apply_landlock(readable: Iterable[str], writable: Iterable[str]) -> bool:
    """Shut this process out of every file but these, of TCP, and of other processes. False if Linux lacks it.

    Since Linux 5.13; TCP since 6.7, signals and abstract sockets since 6.12
    (https://docs.kernel.org/userspace-api/landlock.html).
    """
    version = landlock_version()
    if _LIBC is None or not version:
        return False
    # Access rights to files have grown with each version.
    files = (1 << {1: 13, 2: 14}.get(version, 15 if version < 5 else 16)) - 1
    rules = struct.pack("QQQ", files, 3 if version >= 4 else 0, 3 if version >= 6 else 0)
    ruleset = _LIBC.syscall(_CREATE_RULESET, rules, 8 if version < 4 else 16 if version < 6 else 24, 0)
    read = 1 << 0 | 1 << 2 | 1 << 3  # execute, read a file, list a folder
    for path, access in [(path, read) for path in readable] + [(path, files) for path in writable]:
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
