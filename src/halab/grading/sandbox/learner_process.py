"""The learner's process: an IPython shell that runs cells, and lets the grader call what they define.

Nothing in here is trusted. Whatever a learner's code does to it, the grader gets an answer that is data, a
reference, or nothing at all.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import pickle
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from halab.exercises.other_hashes import other_hashes
from halab.grading.sandbox import wire

__all__ = ["Learner", "shell"]

Output = dict[str, Any]


class Outputs:
    """What a cell prints and displays, in order, as a notebook's outputs, up to wire's limits."""

    def __init__(self) -> None:
        self._kept: list[Output] = []
        self._left = wire.CHARACTERS

    @property
    def collected(self) -> list[Output]:
        return [
            output | {"text": "".join(output["text"])} if "text" in output else output
            for output in self._kept
        ]

    def stream(self, name: str, text: str) -> None:
        fitting = self._fitting(text)
        if fitting and self._kept and self._kept[-1].get("name") == name:
            self._kept[-1]["text"].append(fitting)
        elif fitting:
            self._add({"output_type": "stream", "name": name, "text": [fitting]})

    def display(self, kind: str, data: dict[str, Any], metadata: dict[str, Any] | None) -> None:
        size = len(str(data)) + len(str(metadata or {}))
        if size > self._left:
            self.stream("stdout", f"[an output of {size} characters was left out]\n")
            return
        self._left -= size
        output: Output = {"output_type": kind, "data": data, "metadata": metadata or {}}
        self._add(output | ({"execution_count": None} if kind == "execute_result" else {}))

    def _add(self, output: Output) -> None:
        if len(self._kept) < wire.OUTPUTS - 1:
            self._kept.append(output)
        elif len(self._kept) < wire.OUTPUTS:
            self._kept.append(
                {"output_type": "stream", "name": "stdout", "text": ["[more outputs were left out]\n"]}
            )

    def _fitting(self, text: str) -> str:
        fitting = text[: max(self._left, 0)]
        if self._left > 0 and len(fitting) < len(text):
            fitting += "\n[the rest of the output was cut off]\n"
        self._left -= len(text)
        return fitting


class _Stream(io.TextIOBase):
    """A text file whose lines become outputs."""

    def __init__(self, name: str, outputs: Outputs) -> None:
        self._name, self._outputs = name, outputs

    def write(self, text: str) -> int:
        self._outputs.stream(self._name, str(text))
        return len(text)

    def writable(self) -> bool:
        return True


class _Publisher(DisplayPublisher):  # type: ignore[misc]
    def publish(self, data: Any, metadata: Any = None, source: Any = None, **kwargs: Any) -> None:
        self.shell.outputs.display("display_data", data, metadata)


class _Hook(DisplayHook):  # type: ignore[misc]
    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        self.shell.outputs.display("execute_result", format_dict, md_dict)


class _Shell(InteractiveShell):  # type: ignore[misc]
    """A shell whose errors and displays become outputs instead of text on a terminal."""

    outputs = Outputs()

    def _showtraceback(self, etype: Any, evalue: Any, stb: Any) -> None:
        pass

    def enable_gui(self, gui: Any = None) -> None:
        pass

    def system(self, cmd: str) -> None:
        """`!command`, without the terminal that IPython makes for it: that needs a session, and none is made
        here.
        """
        ran = subprocess.run(
            self.var_expand(cmd, depth=1), shell=True, capture_output=True, text=True, check=False
        )
        sys.stdout.write(ran.stdout)
        sys.stderr.write(ran.stderr)
        self.user_ns["_exit_code"] = ran.returncode


def shell() -> InteractiveShell:
    """This process' shell, without history, colours or startup files."""
    config = Config({"HistoryManager": {"enabled": False}})
    made: InteractiveShell = _Shell.instance(
        config=config, user_ns={}, colors="nocolor", display_pub_class=_Publisher, displayhook_class=_Hook
    )
    # IPython loads and makes things at the first cell and output: here once, not in every learner's copy.
    made.run_cell("pass", store_history=False)
    made.display_formatter.format(None)
    return made


class Learner:
    """Serves the grader over a connection until it hangs up."""

    def __init__(self, connection: socket.socket, running: InteractiveShell) -> None:
        self._connection = connection
        self._requests = connection.makefile("rb")
        self._shell: Any = running
        self._objects: list[Any] = []
        self._process = os.getpid()

    def serve(self) -> None:
        """Answer requests until the grader is gone."""
        while True:
            try:
                request, *arguments = pickle.loads(wire.receive(self._requests))
                self._answer(request, arguments)
            except EOFError:
                return
            except KeyboardInterrupt:  # meant for a cell that had just ended
                continue

    def _answer(self, request: str, arguments: list[Any]) -> None:
        try:
            reply = json.dumps(getattr(self, f"_on_{request}")(*arguments))
        except BaseException as error:  # SystemExit and KeyboardInterrupt too: the process goes on
            reply = json.dumps(["raised", *_error(error)])
        if len(reply) > wire.MAX_BYTES:
            text = f"the result takes more than {wire.MAX_BYTES // 1024**2} MiB"
            reply = json.dumps(["raised", "ValueError", text])
        if os.getpid() != self._process:  # a copy that a cell made of this process, and that ran to its end
            os._exit(0)
        wire.send(self._connection, reply.encode())

    def _on_run(self, source: str) -> list[Any]:
        """Run a cell as a notebook does."""
        self._shell.outputs = outputs = Outputs()
        with redirect_stdout(_Stream("stdout", outputs)), redirect_stderr(_Stream("stderr", outputs)):
            result = self._shell.run_cell(source, store_history=False)
        error = result.error_before_exec or result.error_in_exec
        return ["ran", outputs.collected, list(_error(error)) if error is not None else None]

    def _on_give(self, module: str, value: Any) -> list[Any]:
        """The exercise's numbers, before any cell runs: what makes them is not in here."""
        importlib.import_module(module).variant = lambda learner=None: value  # type: ignore[attr-defined]
        return ["value", None]

    def _on_get(self, name: str) -> list[Any]:
        """The value of a name the cells have defined."""
        if name not in self._shell.user_ns:
            return ["absent"]
        return ["value", self._encode(self._shell.user_ns[name])]

    def _on_call(self, number: int, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> list[Any]:
        return ["value", self._encode(self._objects[number](*arguments, **keywords))]

    def _on_calls(self, number: int, many: list[tuple[Any, ...]], elsewhere: bool) -> list[Any]:
        """Calls of one function, one after the other, up to the first that raises."""

        def reply() -> list[Any]:
            return ["value", self._encode([self._objects[number](*arguments) for arguments in many])]

        return _reply_of_a_copy(reply) if elsewhere else reply()

    def _on_attribute(self, number: int, name: str) -> list[Any]:
        return ["value", self._encode(getattr(self._objects[number], name))]

    def _on_forget(self) -> list[Any]:
        """The grader holds no reference any more."""
        self._objects.clear()
        return ["value", None]

    def _encode(self, value: Any) -> Any:
        return wire.encode(value, self._refer)

    def _refer(self, value: Any) -> dict[str, Any]:
        self._objects.append(value)
        return {"ref": len(self._objects) - 1, "type": type(value).__name__}


def _reply_of_a_copy(reply: Callable[[], list[Any]]) -> Any:
    """What a copy of this process replies: one with another id and hashes, and a memory that ends with it."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read_end)
        with os.fdopen(write_end, "w") as answer:
            try:
                with other_hashes():
                    said = json.dumps(reply())
            except BaseException as error:
                said = json.dumps(["raised", *_error(error)])
            answer.write(said)
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end) as answer:
        said = answer.read()
    os.waitpid(child, 0)
    return json.loads(said)


def _error(error: BaseException) -> tuple[str, str]:
    """The kind of an error and what it says, whatever its own methods do."""
    try:
        text = str(error)[:2000]
    except BaseException:
        text = ""
    return type(error).__name__, text
