"""A fake Milvus whose outages are known to the millisecond: the truth the prober is checked against.

    service = Script([Spell(1.0, 2.5, "hang")])
    with ScriptedServer(service) as server:         # a real gRPC server on loopback
        with probe(server.cluster(), server.operations()) as run: ...

Nothing here is a measurement of Milvus. It calibrates the ruler: tests and `benchmarks/prober.py` use it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

import grpc
from pymilvus.grpc_gen import common_pb2, milvus_pb2, milvus_pb2_grpc

from halab.cluster.protocol import Event
from halab.measure.probing.operations import AlterAlias, Done, Insert, Operation, Search
from halab.models.samples import NOTHING_FOUND, Outcome

__all__ = ["Script", "ScriptedCluster", "ScriptedOperation", "ScriptedServer", "Spell"]

Trouble = Literal["error", "hang", "refuse", "nothing"]


@dataclass(frozen=True, slots=True)
class Spell:
    """A time of trouble, seconds from the script's start: "error" answers with an error, "hang" never
    answers, "refuse" accepts no connection (in-process: fails at once), "nothing" finds no row."""

    start: float
    end: float
    trouble: Trouble


class Script:
    """What a fake service does when. `begin` starts its clock (`time.monotonic`)."""

    def __init__(self, spells: Sequence[Spell]) -> None:
        self.spells = tuple(spells)
        self.began = 0.0

    def begin(self) -> None:
        self.began = time.monotonic()

    def trouble(self) -> Trouble | None:
        """What is wrong now."""
        now = time.monotonic() - self.began
        return next((spell.trouble for spell in self.spells if spell.start <= now < spell.end), None)


class ScriptedCluster:
    """As much of a cluster as the prober needs: a name, a clock, and no events."""

    engine: Literal["embedded", "compose", "simulated"] = "embedded"
    simulation = None
    name = "scripted"
    profile = "fake"
    ttl = 0.0
    versions: Mapping[str, str] = {"scripted": "1"}
    simulation = folder = None

    def __init__(self, uri: str = "") -> None:
        self.uri = uri

    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def events(self, since: float = 0.0) -> list[Event]:
        return []


class ScriptedOperation:
    """An operation that follows a script inside this process; an answer takes `latency` seconds."""

    def __init__(self, name: str, script: Script, *, latency: float = 0.0) -> None:
        self.name = name
        self.script = script
        self.latency = latency
        self.answers = 0

    def timeout(self, deadline: float) -> float:
        return deadline

    def start(self) -> None:
        """Nothing to connect to."""

    def stop(self) -> None:
        """Nothing to disconnect."""

    def send(self, number: int, deadline: float, done: Done) -> int | None:
        trouble = self.script.trouble()
        if trouble == "hang":
            return None
        outcome = Outcome.FAIL if trouble else Outcome.OK
        if self.latency:
            timer = threading.Timer(self.latency, self._answer, (done, outcome, trouble or ""))
            timer.daemon = True
            timer.start()
        else:
            self._answer(done, outcome, trouble or "")
        return None

    def _answer(self, done: Done, outcome: Outcome, error: str) -> None:
        self.answers += 1
        done(outcome, NOTHING_FOUND if error == "nothing" else error)


class ScriptedServer:
    """A gRPC server on loopback that answers Search, Insert and AlterAlias as a script says.

    `refused` holds the spells in which its port really was closed, since opening one takes a moment.
    `inserted` holds the keys it stored. A hanging insert is stored too, although its sender never learns of
    it: that is what makes a time-out unknown. A context manager.
    """

    def __init__(self, script: Script) -> None:
        self.script = script
        self.inserted: set[int] = set()
        self.refused: list[Spell] = []
        self.port = 0
        self._server: Any = None
        self._closing = threading.Event()
        self._doorkeeper = threading.Thread(target=self._keep_door, daemon=True)

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cluster(self) -> Any:
        """A cluster to give to `probe`."""
        return ScriptedCluster(self.uri)

    def operations(self) -> list[Operation]:
        """Search, insert and metadata call against this server."""
        fields = [{"name": "id", "type": 5, "is_primary": True, "params": {}}]
        return [
            Search(self.uri, "passages", [[1.0, 0.0], [0.0, 1.0]]),
            Insert(self.uri, "passages", lambda key: {"id": key}, fields),
            AlterAlias(self.uri, "alias", ("left", "right")),
        ]

    def __enter__(self) -> ScriptedServer:
        self._open()
        self.script.begin()
        self._doorkeeper.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._doorkeeper.join()
        self._close()

    def _open(self) -> None:
        # A hanging call keeps a worker: enough of them for a second of every operation.
        self._server = grpc.server(ThreadPoolExecutor(200), options=[("grpc.so_reuseport", 0)])
        milvus_pb2_grpc.add_MilvusServiceServicer_to_server(self._servicer(), self._server)
        self.port = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        self._server.start()

    def _close(self) -> None:
        if self._server is not None:
            self._server.stop(grace=None).wait()
            self._server = None

    def _keep_door(self) -> None:
        """Close the port while the script refuses; open the same one afterwards."""
        closed_at = 0.0
        while not self._closing.wait(0.001):
            refusing = self.script.trouble() == "refuse"
            if refusing and self._server is not None:
                closed_at = time.monotonic() - self.script.began
                self._close()
            elif not refusing and self._server is None:
                self._open()
                self.refused.append(Spell(closed_at, time.monotonic() - self.script.began, "refuse"))

    def _servicer(self) -> Any:
        bad = common_pb2.Status(code=65535, error_code=1, reason="scripted error")
        good = common_pb2.Status()
        answer, inserted = self._answered, self.inserted

        def status(trouble: Trouble | None) -> Any:
            return bad if trouble == "error" else good

        def results(trouble: Trouble | None) -> Any:
            found = milvus_pb2.SearchResults(status=status(trouble))
            found.results.ids.int_id.data[:] = [] if trouble else [0]
            return found

        class Service(milvus_pb2_grpc.MilvusServiceServicer):  # type: ignore[misc]  # generated, untyped
            def Search(self, request: Any, context: Any) -> Any:
                return answer(context, results)

            def Insert(self, request: Any, context: Any) -> Any:
                key = request.fields_data[0].scalars.long_data.data[0]
                return answer(
                    context,
                    lambda trouble: milvus_pb2.MutationResult(status=status(trouble)),
                    lambda: inserted.add(key),
                )

            def AlterAlias(self, request: Any, context: Any) -> Any:
                return answer(context, status)

        return Service()

    def _answered(
        self, context: Any, reply: Callable[[Trouble | None], Any], happen: Callable[[], None] = lambda: None
    ) -> Any:
        trouble = self.script.trouble()
        if trouble != "error":
            happen()
        if trouble == "hang":
            gone = threading.Event()
            if context.add_callback(gone.set):
                gone.wait()
        return reply(trouble)
