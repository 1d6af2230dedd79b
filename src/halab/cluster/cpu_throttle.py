"""Limits the CPU time of processes without root: each runs for a share of the time, in short pulses.

    with throttle_cpu([4711, 4712], share=0.2, period=0.1):
        ...                                        # SIGSTOP and SIGCONT, ten pulses a second

The pulses of several processes are staggered, so that two processes with a share of up to a half never ask
for the same core at once: each behaves as if it had a slow machine to itself. A separate process sends the
signals, since a busy Python program would send them late; it continues all of them when this one leaves the
block or ends, however it ends. The share is not exact: signals take time, and so does waking up. The period
must stay far below a session's TTL, or the session expires.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from halab.errors import FaultError
from halab.translation import gettext

__all__ = ["LONGEST", "throttle_cpu"]

LONGEST = 0.5
"""The longest period, seconds: a twentieth of the course's usual TTL."""


@contextmanager
def throttle_cpu(pids: Sequence[int], share: float, period: float = 0.1) -> Iterator[None]:
    """Let each process run for `share` of every `period` (seconds) while the block runs.

    Raises FaultError for no processes, a share that is not between 0 and 1, or a period above LONGEST; and on
    leaving the block if a process has ended meanwhile or may not be signalled: nothing was limited then.
    """
    if not pids or not 0 < share < 1 or not 0 < period <= LONGEST:
        raise FaultError(
            gettext(
                "A speed limit needs processes, a share between 0 and 1 and a period of at most "
                "{longest:g} s; found {count} processes, {share:g}, {period:g} s."
            ).format(longest=LONGEST, count=len(pids), share=share, period=period),
            hint=gettext("For example share=0.2, period=0.1."),
        )
    limiter = subprocess.Popen(
        [sys.executable, "-m", __name__, str(share), str(period), *map(str, pids)], stdin=subprocess.PIPE
    )
    try:
        yield
        if limiter.poll() is not None:
            raise FaultError(
                gettext("The speed limit ended early: a process it limited has ended."),
                hint=gettext("Look at `halab status`, and measure again."),
            )
    finally:
        assert limiter.stdin is not None
        with suppress(BrokenPipeError):
            limiter.stdin.close()
        try:
            limiter.wait(timeout=5)
        except subprocess.TimeoutExpired:
            limiter.kill()
            limiter.wait()
        _send(pids, signal.SIGCONT)


def _send(pids: Sequence[int], what: signal.Signals) -> bool:
    """Send a signal to each process; whether all of them still exist."""
    sent = True
    for pid in pids:
        try:
            os.kill(pid, what)
        except OSError:
            sent = False
    return sent


def _pulse(pids: Sequence[int], share: float, period: float) -> None:
    """Send the signals until standard input ends, which it does with the process that started this one."""
    edges = sorted(
        edge
        for number, pid in enumerate(pids)
        for edge in (
            (number / len(pids) * period, pid, signal.SIGCONT),
            ((number / len(pids) + share) % 1 * period, pid, signal.SIGSTOP),
        )
    )
    began = time.monotonic()
    turn = 0
    try:
        _send(pids, signal.SIGSTOP)
        while True:
            for at, pid, what in edges:
                wait = began + turn * period + at - time.monotonic()
                if select.select([sys.stdin], [], [], max(0.0, wait))[0] or not _send([pid], what):
                    return
            turn += 1
    finally:
        _send(pids, signal.SIGCONT)


if __name__ == "__main__":
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, lambda *_: sys.exit(0))
    _pulse([int(pid) for pid in sys.argv[3:]], float(sys.argv[1]), float(sys.argv[2]))
