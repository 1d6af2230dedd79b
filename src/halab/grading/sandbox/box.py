"""The grader's end of the sandbox: run a learner's cells in it, and call what they defined."""

from __future__ import annotations

import builtins
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal, cast

from halab.errors import CourseError
from halab.grading.sandbox import wire
from halab.grading.sandbox.allowed_outputs import allowed_outputs
from halab.grading.sandbox.isolation import Isolation, isolations
from halab.grading.sandbox.learner_view import write_view
from halab.grading.sandbox.time_limit import LOOK, TimeLimit, Usage
from halab.translation import gettext

__all__ = ["Box", "CellTimeout", "LearnerError", "ProcessExited", "Reference", "Sandbox", "UndefinedName"]

_START_TIMEOUT = 240.0  # seconds until the host has loaded what it needs, on a slow disk or a busy machine
_ANSWER_TIMEOUT = (
    60.0  # seconds the host may take to answer: it does nothing that takes one, if it has a core
)
_GRACE = 2.0  # seconds (see TimeLimit) an interrupted cell has to stop
_GIVING = 30.0  # seconds (see TimeLimit) until a learner's process has its numbers: milliseconds
_NO_ANSWER = "it sent something that is no answer"
_LENGTHS = {"ran": 3, "value": 2, "absent": 1, "raised": 3}  # parts of each kind of answer


class UndefinedName(Exception):
    """The learner's cells define no such name."""


class ProcessExited(Exception):
    """The learner's process is no more. The text says why, as the end of a sentence about it."""


class CellTimeout(Exception):
    """The learner's code was still running when its time was up, and was interrupted."""


class LearnerError(Exception):
    """The learner's code raised an error of this kind with this text."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(kind, text)  # all of it, since SimPy makes errors anew from their arguments
        self.kind = kind
        self.text = text

    def __str__(self) -> str:
        return self.text


def learner_error(kind: str, text: str) -> LearnerError:
    """The error for what a learner's code raised; one of Python's own kinds can be caught as such."""
    base = getattr(builtins, kind, None)
    if isinstance(base, type) and issubclass(base, Exception):
        with contextlib.suppress(Exception):  # a kind that is made of more than a text, or of something else
            return cast(LearnerError, type(kind, (LearnerError, base), {})(kind, text))
    return LearnerError(kind, text)


class Sandbox:
    """Holds a host process, in which learner after learner gets a fresh process of their own.

    A context manager; on leaving, every process of it has ended. Not for use from two threads at once.
    """

    def __init__(self) -> None:
        self._isolations = isolations()
        self._isolation = next(self._isolations)
        self._host: _Host | None = None
        self._has_namespaces = True

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def warning(self) -> str:
        """Empty, or what the isolation in use does not keep out."""
        if self._isolation.warning and not self._has_namespaces:
            return gettext(
                "{warning} This system also gives the code no namespaces of its own: it may reach "
                "other processes, and change the times and rights of your files."
            ).format(warning=self._isolation.warning)
        return self._isolation.warning

    def close(self) -> None:
        """End the host; the next learner gets a new one."""
        if self._host:
            self._host.close()
            self._host = None

    @contextmanager
    def box(self, learner: str, modules: Iterable[str] = ()) -> Iterator[Box]:
        """A fresh process for this learner, ended on leaving. `modules` are loaded before it is copied off.

        Raises CourseError if no kind of isolation works on this machine.
        """
        host = self._running()
        connection = host.start(learner, modules)
        self._has_namespaces = host.has_namespaces
        try:
            yield Box(connection, host, self._isolation)
        finally:
            connection.close()
            with contextlib.suppress(OSError, ValueError):
                host.ask("end")
            if host.lost or not host.has_namespaces:  # what learners could reach they do not share
                self.close()

    def _running(self) -> _Host:
        if self._host and not self._host.answers():
            self.close()
        problems = []
        while self._host is None:
            try:
                self._host = _Host(self._isolation)
            except OSError as error:
                problems.append(f"{self._isolation.name}: {error}")
                following = next(self._isolations, None)
                if following is None:
                    raise CourseError(
                        gettext("No sandbox for learners' code could be started:\n") + "\n".join(problems),
                        hint=gettext(
                            "Install the course again (make lab); if it stays, report it with this message."
                        ),
                    ) from None
                self._isolation = following
        return self._host


class _Host:
    """The process in the sandbox that learners' processes are copied from."""

    def __init__(self, kind: Isolation) -> None:
        self.has_namespaces = True
        self.lost = False
        self._folder = tempfile.TemporaryDirectory(prefix="halab-sandbox-")
        self._view = tempfile.TemporaryDirectory(prefix="halab-view-")
        write_view(Path(self._view.name))
        self._control, theirs = socket.socketpair()
        with theirs, tempfile.TemporaryFile() as log:
            self._process = subprocess.Popen(
                kind.command(theirs.fileno(), self._view.name),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[theirs.fileno()],
                env=_learner_environment(kind, self._folder.name, self._view.name),
                cwd=self._folder.name,
                start_new_session=True,
            )
            theirs.close()
            self._wait_until_ready(log)

    def _wait_until_ready(self, log: IO[bytes]) -> None:
        """Wait until it is ready. Raises OSError with what it said last."""
        self._control.settimeout(_START_TIMEOUT)
        try:
            ready = self._control.recv(1024)
        except OSError:
            ready = b""
        if not ready:
            self.close()
            log.seek(0)
            lines = log.read().decode(errors="replace").strip().splitlines()
            raise OSError(lines[-1] if lines else "it did not start")

    def start(self, learner: str, modules: Iterable[str]) -> socket.socket:
        """A new learner's process; the grader's end of the connection to it."""
        ours, theirs = socket.socketpair()
        with theirs:
            request = wire.HostRequest(command="start", learner=learner, modules=list(modules))
            socket.send_fds(self._control, [json.dumps(request).encode()], [theirs.fileno()])
            self._control.settimeout(_START_TIMEOUT)
            reply: wire.HostReply = json.loads(self._control.recv(65536))
        self.has_namespaces = reply["has_namespaces"]
        return ours

    def ask(self, command: Literal["interrupt", "end", "usage", "ping"]) -> wire.HostReply:
        """Send a request to the host and return its reply. Raises OSError or ValueError if it is lost."""
        if self.lost:  # what comes now may be the reply to an earlier request
            raise ConnectionError
        self.lost = True
        self._control.settimeout(_ANSWER_TIMEOUT)
        self._control.sendall(json.dumps(wire.HostRequest(command=command)).encode())
        reply: wire.HostReply = json.loads(self._control.recv(65536))
        self.lost = False
        return reply

    def answers(self) -> bool:
        """Whether it is still there."""
        with contextlib.suppress(OSError, ValueError):
            self.ask("ping")
        return not self.lost

    def close(self) -> None:
        self._control.close()  # the host ends when it notices, and its processes with it
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE)
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()
        self._view.cleanup()


class Box:
    """One learner's process. Every request has a limit, which several may share (`limit`).

    `lost` is whether its sandbox does not answer any more, which is none of the learner's doing.
    """

    def __init__(self, connection: socket.socket, host: _Host, kind: Isolation) -> None:
        self._connection = connection
        self._received = bytearray()
        self._host = host
        self._exit_reason = ""
        self.kind = kind
        self.lost = False
        connection.settimeout(LOOK)

    def limit(self, seconds: float) -> TimeLimit:
        """Time for the requests to come. Raises ProcessExited if there is no process any more."""
        return TimeLimit(seconds, self._usage)

    def _usage(self) -> Usage:
        if self._exit_reason:
            raise ProcessExited(self._exit_reason)
        try:
            reply = self._host.ask("usage")
        except (OSError, ValueError):
            self.lost = True
            raise self._end(gettext("its sandbox was lost")) from None
        return Usage(reply["cpu"], reply["waiting"])

    def run(self, source: str, limit: TimeLimit) -> tuple[list[dict[str, Any]], tuple[str, str] | None]:
        """Run a cell: its outputs, and its error (kind, text) or None."""
        reply = self._ask(("run", source), limit, "ran")
        sent = reply[1]
        if not isinstance(sent, list) or len(sent) > wire.OUTPUTS:
            raise self._end(_NO_ANSWER)
        return allowed_outputs(sent), _texts(reply[2]) if reply[2] else None

    def give(self, module: str, variant: Any) -> None:
        """Let `variant()` of this module of an exercise be what the learner is given."""
        self._ask(("give", module, variant), self.limit(_GIVING), "value")

    def get(self, name: str, limit: TimeLimit) -> Any:
        """What a name stands for: data, or a Reference. Raises UndefinedName."""
        reply = self._ask(("get", name), limit, "value", "absent")
        if reply[0] == "absent":
            raise UndefinedName
        return self._value(reply[1], limit)

    def forget(self, limit: TimeLimit) -> None:
        """Let go of what References stand for."""
        self._ask(("forget",), limit, "value")

    def ask(self, request: tuple[Any, ...], limit: TimeLimit) -> Any:
        """Send a request about a Reference and return the value."""
        return self._value(self._ask(request, limit, "value")[1], limit)

    def _value(self, sent: Any, limit: TimeLimit) -> Any:
        try:
            return wire.decode(sent, lambda ref: Reference(self, int(ref["ref"]), str(ref["type"]), limit))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise self._end(_NO_ANSWER) from None

    def _ask(self, request: tuple[Any, ...], limit: TimeLimit, *expected: str) -> list[Any]:
        """Send a request and await an answer of one of these kinds, or that the request raised an error.

        The process is interrupted when its time is up while it answers, and killed soon after.
        """
        if self._exit_reason:
            raise ProcessExited(self._exit_reason)
        try:
            limit.add(0)
        except TimeoutError:  # between two requests: the process is idle, and stays for the next limit
            raise CellTimeout from None
        try:
            self._send(wire.pickle_for_learner(request))
            reply = self._reply(limit)
        except TimeoutError:
            self._interrupt()
            raise CellTimeout from None
        except OSError:
            raise self._end(gettext("it ended its Python process")) from None
        if reply[0] == "raised":
            raise learner_error(*_texts(reply[1:]))
        if reply[0] not in expected:
            raise self._end(_NO_ANSWER)
        return reply

    def _send(self, body: bytes) -> None:
        """Raises ConnectionError if the process does not take it: it has nothing else to do."""
        self._connection.settimeout(_ANSWER_TIMEOUT)
        try:
            wire.send(self._connection, body)
        except TimeoutError:
            raise ConnectionError from None
        finally:
            self._connection.settimeout(LOOK)

    def _reply(self, limit: TimeLimit) -> list[Any]:
        """The next answer. Raises TimeoutError, ConnectionError, or ProcessExited after a wrong one."""
        while (size := wire.message_size(self._received)) is None or len(self._received) < size:
            if size and size > wire.MAX_BYTES:
                raise self._end(
                    gettext("it sent an answer of more than {size} MiB").format(
                        size=wire.MAX_BYTES // 1024**2
                    )
                )
            self._received += self._receive(limit)
        try:
            reply = wire.parse(self._received[wire.HEAD : size])
        except ValueError:
            reply = None
        del self._received[:size]
        well_formed = isinstance(reply, list) and reply and isinstance(reply[0], str)
        if not (well_formed and len(reply) == _LENGTHS.get(reply[0])):
            raise self._end(_NO_ANSWER)
        return cast(list[Any], reply)

    def _receive(self, limit: TimeLimit) -> bytes:
        """What comes next. Raises TimeoutError if nothing has come and the time is up, ConnectionError at the
        end.
        """
        while True:
            began = time.monotonic()
            try:
                more = self._connection.recv(1 << 16)
            except TimeoutError:
                limit.add(time.monotonic() - began)
                continue
            if not more:
                raise ConnectionError
            limit.under_way += time.monotonic() - began
            return more

    def _interrupt(self) -> None:
        """As Ctrl-C in a terminal; a process that goes on regardless is ended."""
        try:
            self._host.ask("interrupt")
            self._reply(self.limit(_GRACE))
        except (OSError, ValueError):
            self._end(
                gettext("its code was still running when its time was up, and could not be interrupted")
            )

    def _end(self, otherwise: str) -> ProcessExited:
        """End the process. The error to raise says what the host saw it do, or else `otherwise`."""
        reason = ""
        with contextlib.suppress(OSError, ValueError):
            reason = self._host.ask("end")["reason"]
        self._exit_reason = reason or otherwise
        return ProcessExited(self._exit_reason)


class Reference:
    """Something in the learner's process that is no data: a function, a class, an object.

    Calling it calls it there; attributes are asked for there. Only until its test is over.
    """

    def __init__(self, box: Box, number: int, kind: str, limit: TimeLimit) -> None:
        self._box, self._number, self._kind, self._limit = box, number, kind, limit

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return self._box.ask(("call", self._number, arguments, keywords), self._limit)

    def calls(self, many: Iterable[tuple[Any, ...]], *, elsewhere: bool = False) -> Any:
        """Call it with each of these arguments: a list of results, for one message each way. `elsewhere`:
        in another process, whose memory of it ends then, and where `hash` gives other numbers.
        """
        return self._box.ask(("calls", self._number, list(many), elsewhere), self._limit)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._box.ask(("attribute", self._number, name), self._limit)

    def __repr__(self) -> str:
        return f"<{self._kind} of the learner's>"


def _learner_environment(kind: Isolation, folder: str, view: str) -> dict[str, str]:
    """Nothing of the grader's environment but what Python needs."""
    home = folder if kind.readable else "/scratch"
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"]),
        "PYTHONPATH": kind.view or view,
        "HOME": home,
        "TMPDIR": home,
        "IPYTHONDIR": f"{home}/.ipython",
        "MPLCONFIGDIR": f"{home}/.matplotlib",
        "MPLBACKEND": "agg",
        "LANG": "C.UTF-8",
        "OPENBLAS_NUM_THREADS": "1",  # each of its threads reserves address space, which is limited
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",  # the order of a set is the same in each run, and so is the grade
    }


def _texts(pair: Any) -> tuple[str, str]:
    """Two texts, whatever was sent for them."""
    kind, text = pair if isinstance(pair, list) and len(pair) == 2 else ("Error", "")
    return wire.printable(str(kind)[:100]), wire.printable(str(text)[:2000])
