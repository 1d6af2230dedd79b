"""What passes between the grader and the processes of the sandbox.

With the host (trusted): a HostRequest and its HostReply, each one JSON object.

With a learner's process (not trusted): the grader sends pickles, since they come from trusted code and can
hold whole objects of the course. The process answers in JSON, which can hold nothing but data; what is no
data stays where it is, and a reference goes over in its place.

    ("run", source)                                 ["ran", outputs, None or [kind, text]]
    ("give", module, value)                         ["value", None]; module.variant() is this value then
    ("get", name)                                   ["value", value] or ["absent"]
    ("call", reference, arguments, keywords)        ["value", value]
    ("calls", reference, [arguments, ...], False)   ["value", [value, ...]]; True: in a copy
    ("attribute", reference, name)                  ["value", value]
    ("forget",)                                     ["value", None]; no reference holds after it
    any of them                                     or ["raised", kind, text]
"""

from __future__ import annotations

import base64
import io
import json
import pickle
import random
import socket
import struct
from collections import deque
from collections.abc import Callable, ItemsView, KeysView, ValuesView
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal, Required, TypedDict

__all__ = [
    "CHARACTERS",
    "HEAD",
    "MAX_BYTES",
    "OUTPUTS",
    "HostReply",
    "HostRequest",
    "decode",
    "encode",
    "message_size",
    "parse",
    "pickle_for_learner",
    "printable",
    "receive",
    "send",
]

MAX_BYTES = 4 * 1024**2
"""Bytes of the longest message a learner's process may send; read, it takes up to a hundred times as many."""

OUTPUTS = 500
"""Outputs of a cell that are kept."""

CHARACTERS = 200_000
"""Characters of a cell's outputs that are kept."""


class HostRequest(TypedDict, total=False):
    """What the grader asks the host to do. Only "start" needs more than the command.

    "start" makes a process for `learner`, at the other end of the attached socket, with `modules` loaded;
    "interrupt" acts on it as Ctrl-C does and kills what it has started; "end" kills it with all it started;
    "usage" asks what it has used; "ping" asks whether the host is there.
    """

    command: Required[Literal["start", "interrupt", "end", "usage", "ping"]]
    learner: str
    modules: list[str]


class HostReply(TypedDict, total=False):
    """To "start": whether the process has namespaces of its own. To "end": why the host killed it, or "". To
    "usage": seconds of computing, and of waiting for a core, of the process and all it started."""

    has_namespaces: bool
    reason: str
    cpu: float
    waiting: float


_DEEPEST = 100  # levels of lists in lists
_GREATEST = 10**300  # of whole numbers, either side of 0: checks compare them with floats
_LENGTH = struct.Struct("!I")
HEAD = _LENGTH.size
"""Bytes before a message, which give its length."""

# Each is as good an answer as the list that it is a kind of, or a look at.
_LISTS = (list, deque, range, KeysView, ValuesView, ItemsView)
_SEQUENCES: dict[str, Any] = {"tuple": tuple, "set": set, "frozenset": frozenset}


def send(connection: socket.socket, body: bytes) -> None:
    """Send one message."""
    connection.sendall(_LENGTH.pack(len(body)) + body)


def receive(stream: io.BufferedReader) -> bytes:
    """The next message from the grader. Raises EOFError if it is gone."""
    (length,) = _LENGTH.unpack(_read_exactly(stream, HEAD))
    return _read_exactly(stream, length)


def _read_exactly(stream: io.BufferedReader, size: int) -> bytes:
    body = stream.read(size)
    if len(body) < size:
        raise EOFError
    return body


def message_size(received: bytearray) -> int | None:
    """The bytes the first message takes with its head, or None while that is not yet known."""
    return HEAD + int(_LENGTH.unpack_from(received)[0]) if len(received) >= HEAD else None


def pickle_for_learner(message: Any) -> bytes:
    """A message for a learner's process, with everything it refers to copied into it."""
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, protocol=5)
    # The state of a generator is 2.5 kB, and would let a learner's code foresee the grader's next number.
    pickler.dispatch_table = {random.Random: lambda dice: (random.Random, (dice.getrandbits(64),))}
    pickler.dump(message)
    return buffer.getvalue()


def encode(value: Any, refer: Callable[[Any], dict[str, Any]], depth: int = 0) -> Any:
    """`value` as JSON can hold it. `refer` gives the reference to an object that is no data."""
    if isinstance(value, int) and abs(value) > _GREATEST:
        raise OverflowError("it holds a whole number of more than 300 digits")
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if depth > _DEEPEST:
        raise ValueError(f"it holds more than {_DEEPEST} levels of lists within lists")
    if isinstance(value, _LISTS):
        return [encode(item, refer, depth + 1) for item in value]
    if isinstance(value, dict):
        return {"dict": [[encode(part, refer, depth + 1) for part in pair] for pair in value.items()]}
    for name, kind in _SEQUENCES.items():
        if isinstance(value, kind):
            return {name: [encode(item, refer, depth + 1) for item in value]}
    if isinstance(value, (bytes, bytearray)):
        return {"bytes": base64.b64encode(value).decode()}
    if isinstance(value, (Fraction, Decimal)):  # right, and more exact than any check asks for
        return float(value)
    if hasattr(value, "dtype") and hasattr(value, "tolist"):  # NumPy's arrays and numbers
        return encode(value.tolist(), refer, depth + 1)
    return refer(value)


def decode(value: Any, referred: Callable[[dict[str, Any]], Any]) -> Any:
    """The data of `encode`. Raises ValueError, TypeError or KeyError if a learner's process made it up."""
    if isinstance(value, list):
        return [decode(item, referred) for item in value]
    if isinstance(value, int) and abs(value) > _GREATEST:
        raise ValueError
    if not isinstance(value, dict):
        return value
    if "ref" in value:
        return referred(value)
    ((kind, inside),) = value.items()
    if kind == "dict":
        return {decode(key, referred): decode(item, referred) for key, item in inside}
    if kind == "bytes":
        return base64.b64decode(inside)
    return _SEQUENCES[kind](decode(item, referred) for item in inside)


def parse(body: bytes | bytearray) -> Any:
    """The JSON of a message. Raises ValueError if it is none."""
    try:
        return json.loads(body)
    except RecursionError as error:
        raise ValueError("too deep") from error


def printable(text: str) -> str:
    """The text without what could act on a terminal, or is in no encoding."""
    return "".join(
        character if character.isprintable() or character in "\n\t" else "\N{REPLACEMENT CHARACTER}"
        for character in text
    )
