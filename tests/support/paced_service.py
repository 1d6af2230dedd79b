"""A fake service of known speed, to check loads against: so many workers, so long an answer, stalls."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from halab.measure.probing.operations import Done
from halab.models.samples import Outcome

__all__ = ["PacedOperation"]


class PacedOperation:
    """`workers` requests at a time, each in `service` seconds: at most workers / service a second.

    During each of `stalls` (from, to; seconds after `start`) no request is begun. Nothing here is Milvus.
    """

    name = "paced"

    def __init__(self, service: float, workers: int = 1, stalls: Sequence[tuple[float, float]] = ()) -> None:
        self._service, self._workers, self._stalls = service, workers, stalls
        self._pool: ThreadPoolExecutor | None = None
        self._began = 0.0
        self.most = 0
        """The most requests that were under way at once."""
        self._under_way = 0
        self._lock = threading.Lock()

    def timeout(self, deadline: float) -> float:
        return deadline

    def start(self) -> None:
        self.stop()
        self._pool = ThreadPoolExecutor(self._workers)
        self._began = time.monotonic()

    def stop(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    def send(self, number: int, deadline: float, done: Done) -> int | None:
        assert self._pool is not None
        with self._lock:
            self._under_way += 1
            self.most = max(self.most, self._under_way)
        self._pool.submit(self._answer, done)
        return None

    def _answer(self, done: Done) -> None:
        now = time.monotonic() - self._began
        wait = max((end - now for start, end in self._stalls if start <= now < end), default=0.0)
        time.sleep(wait + self._service)
        with self._lock:
            self._under_way -= 1
        done(Outcome.OK, "")
