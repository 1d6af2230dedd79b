"""Runs in the sandbox and holds what a learner's process needs, loaded once; each learner gets a copy of it.

    python -m halab.grading.sandbox.host FD USER [READABLE ...]

FD is a socket to the grader, which sends HostRequests and gets a HostReply to each (see `wire`). USER is the
number of the user to become, or empty. READABLE are the files and folders a learner's process may read: none
where bubblewrap hides the others.

A copy is made by fork, which takes milliseconds where a new Python takes half a second.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import random
import select
import signal
import socket
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

import psutil
from IPython.core.interactiveshell import InteractiveShell

from halab.grading.sandbox import confine
from halab.grading.sandbox.learner_process import Learner, shell
from halab.grading.sandbox.time_limit import core_wait
from halab.grading.sandbox.wire import HostReply, HostRequest
from halab.translation import gettext

__all__ = ["main"]

_WATCH = 0.1  # seconds between two looks at what the learner's process is doing
_NICEST = 19


class Host:
    """Starts, watches and ends one learner's process at a time."""

    def __init__(self, control: socket.socket, running: InteractiveShell, readable: list[str]) -> None:
        self._control = control
        self._shell = running
        self._readable = readable
        self._namespace_parent = self._child = 0
        self._has_namespaces = False
        self._reason = ""
        self._cpu: dict[int, float] = {}  # seconds of each process that was seen, also after its end
        self._waiting: dict[int, float] = {}

    def serve(self) -> None:
        """Answer requests until the grader is gone; nothing is left then."""
        try:
            self._serve()
        finally:
            self._end()

    def _serve(self) -> None:
        while True:
            if not select.select([self._control], [], [], _WATCH if self._child else None)[0]:
                self._watch()
                continue
            body, handles, _, _ = socket.recv_fds(self._control, 65536, 1)
            if not body:
                return
            self._answer(json.loads(body), handles)

    def _answer(self, request: HostRequest, handles: list[int]) -> None:
        reply = HostReply()
        match request["command"]:
            case "start":
                for module in request["modules"]:
                    with contextlib.suppress(ImportError):
                        importlib.import_module(module)
                self._start(request["learner"], handles[0])
                reply["has_namespaces"] = self._has_namespaces
            case "interrupt":
                self._interrupt()
            case "end":
                reply["reason"] = self._end()
            case "usage":
                reply["cpu"], reply["waiting"] = self._usage()
        self._control.sendall(json.dumps(reply).encode())

    def _start(self, learner: str, handle: int) -> None:
        """Fork twice: the first child leaves the namespaces, of which only its own children notice."""
        self._reason = ""
        self._cpu, self._waiting = {}, {}
        read_end, write_end = os.pipe()
        self._namespace_parent = os.fork()
        if self._namespace_parent == 0:
            os.close(read_end)
            self._control.close()
            self._run_namespace_parent(learner, handle, write_end)
        os.close(write_end)
        os.close(handle)
        with os.fdopen(read_end, "rb") as news:
            self._child, self._has_namespaces = json.loads(news.read())

    def _run_namespace_parent(self, learner: str, handle: int, write_end: int) -> NoReturn:
        has_namespaces = confine.new_namespaces(str(Path.cwd()))
        confine.die_with_parent()
        child = os.fork()
        if child == 0:
            os.close(write_end)
            self._run_learner(learner, handle, has_namespaces)
        os.close(handle)
        os.write(write_end, json.dumps([child, has_namespaces]).encode())
        os.close(write_end)
        _, status = os.waitpid(child, 0)
        os._exit(os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0)

    def _run_learner(self, learner: str, handle: int, has_namespaces: bool) -> NoReturn:
        """Be the learner's process from here on."""
        confine.die_with_parent()
        confine.prefer_as_oom_victim()
        os.setsid()  # else a signal to its process group would reach the host, even from other namespaces
        nothing = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(nothing, standard)
        confine.drop_capabilities()
        confine.set_resource_limits(processes=has_namespaces)
        if self._readable:
            confine.apply_landlock(self._readable, [str(Path.cwd()), os.devnull])
        # The empty folder mounted over the working folder shows only to who enters it anew.
        os.chdir(Path.cwd())
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # which stays so from here on
        confine.install_seccomp_filter()
        os.environ["HALAB_LEARNER"] = learner
        _seed()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with contextlib.suppress(OSError):
            Learner(socket.socket(fileno=handle), self._shell).serve()
        os._exit(0)

    def _watch(self) -> None:
        """End a learner's process that takes more than its share, and let others go before its helpers."""
        memory = number = 0
        for process in self._descendants():
            with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
                number += 1
                memory += process.memory_info().rss
                _lower_priority(process, first=process.pid == self._child)
        cpu_seconds, _ = self._usage(self._descendants(ended=True))
        if number > confine.PROCESSES:
            self._reason = gettext("it started more than {most} processes").format(most=confine.PROCESSES)
        elif memory > confine.MEMORY:
            self._reason = gettext("it used more than {size} GiB of memory").format(
                size=confine.MEMORY // 1024**3
            )
        elif cpu_seconds > confine.CPU:
            self._reason = gettext("it used more than {most} s of computing time").format(most=confine.CPU)
        elif not self._has_namespaces and _exceeds_scratch_limits(Path.cwd()):  # else the system limits it
            most = gettext("{size} MiB or {files} files").format(
                size=confine.SCRATCH_SIZE // 1024**2, files=confine.FILES
            )
            self._reason = gettext("it wrote more than {most} to its folder").format(most=most)
        if self._reason:
            self._kill()

    def _usage(self, processes: Iterable[psutil.Process] = ()) -> tuple[float, float]:
        """Seconds of computing, and of waiting for a core, of the learner's process and all it has started.

        What an ended child used stands in its own counter until somebody waits for it, and then in its
        parent's (`confine` sees to that). Between two looks at everybody only the first process is asked.
        """
        with_children = 0.0
        for process in processes or self._first():
            with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
                times = process.cpu_times()
                self._cpu[process.pid] = sum(times[:2])
                self._waiting[process.pid] = core_wait(process.pid)
                with_children += sum(times[:4])
        return max(sum(self._cpu.values()), with_children), sum(self._waiting.values())

    def _first(self) -> list[psutil.Process]:
        """The learner's own process, if it lives: quicker to find than all."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return [psutil.Process(self._child)] if self._child else []
        return []

    def _end(self) -> str:
        if self._child:
            self._kill()
        return self._reason

    def _kill(self) -> None:
        """Kill the learner's process first, which takes its namespace with it."""
        while descendants := self._descendants():
            for process in sorted(descendants, key=lambda process: process.pid != self._child):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
        with contextlib.suppress(ChildProcessError):
            while True:
                os.waitpid(-1, 0)
        self._child = 0

    def _interrupt(self) -> None:
        for process in self._descendants():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGINT if process.pid == self._child else signal.SIGKILL)

    def _descendants(self, *, ended: bool = False) -> list[psutil.Process]:
        """The learner's process and all it has started that still lives; with `ended`, also those that
        nobody has waited for yet.
        """
        there = []
        for process in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                if process.pid != self._namespace_parent and (
                    ended or process.status() != psutil.STATUS_ZOMBIE
                ):
                    there.append(process)
        return there


def _seed() -> None:
    """The same work has the same grade: what is drawn by chance is the same each time. Hashes: see `box`."""
    random.seed(0)
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed(0)


def _lower_priority(process: psutil.Process, *, first: bool) -> None:
    """Give its threads the lowest priority, but for the first of the learner's process itself.

    So sixty of them take no more from a neighbour's process than one would.
    """
    for thread in process.threads():
        if not (first and thread.id == process.pid):
            os.setpriority(os.PRIO_PROCESS, thread.id, _NICEST)


def _exceeds_scratch_limits(folder: Path) -> bool:
    """Whether this folder holds more than a learner may write."""
    size = 0
    for number, path in enumerate(folder.rglob("*")):
        with contextlib.suppress(OSError):
            size += path.lstat().st_blocks * 512
        if size > confine.SCRATCH_SIZE or number >= confine.FILES:
            return True
    return False


def main(handle: int, user: int | None, readable: list[str]) -> None:
    """Serve the grader over this socket; as `user` if given, with learners who see only `readable`."""
    if user is not None:
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
    confine.die_with_parent()
    confine.adopt_orphans()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the grader's to deal with
    running = shell()
    control = socket.socket(fileno=handle)
    control.sendall(b'{"ready": true}')
    Host(control, running, readable).serve()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if sys.argv[2] else None, sys.argv[3:])
