"""How short of processor time this machine is, as its kernel measures it, once a second beside a run."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from halab.measure.journal.journal_file import Pressure

__all__ = ["PressureLog"]

_CPU = Path("/proc/pressure/cpu")  # Linux 4.20 and later; docs.kernel.org/accounting/psi.html
_PERIOD = 1.0  # seconds


class PressureLog:
    """Reads the kernel's pressure stall information on a thread of its own; where there is none, nothing.

    `clock` gives the times of the records, seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.records: list[Pressure] = []
        self._clock = clock
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._read, name="halab-pressure", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Read no more; may be called again, and before `start`."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _read(self) -> None:
        last, stalled = self._clock(), stalled_seconds()
        while stalled is not None and not self._stopped.wait(_PERIOD):
            now, total = self._clock(), stalled_seconds()
            if total is None or now <= last:
                return
            self.records.append(Pressure(now, min(1.0, (total - stalled) / (now - last))))
            last, stalled = now, total


def stalled_seconds() -> float | None:
    """Seconds since boot in which some task waited for a core; None where the kernel does not tell."""
    try:
        some = _CPU.read_text().splitlines()[0]  # some avg10=… avg60=… avg300=… total=<microseconds>
        return int(some.rpartition("total=")[2]) / 1e6
    except (OSError, IndexError, ValueError):
        return None
