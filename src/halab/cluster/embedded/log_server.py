"""The log: librdkafka's mock Kafka cluster of three brokers, a process of its own.

It keeps everything in memory and binds 127.0.0.1 only. Unlike Kafka it drops the oldest message sets of a
partition beyond 5 MiB or 100,000 sets, and never re-elects a leader. The first limit has no setting, so it is
raised in this process' memory. Where that is not possible it stays, and `log.json` has the figure.
Source: confluentinc/librdkafka, src/rdkafka_mock.c (`mpart->max_size`, `mpart->max_cnt`).

Usage: python log_server.py FOLDER   (writes FOLDER/log.json when it is up)
It imports nothing of halab, to start quickly: everything else of a cluster waits for the log.
"""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import struct
import sys
import time
from pathlib import Path

__all__ = ["DEFAULT_RETENTION", "RAISED_RETENTION", "raise_retention", "serve"]

BROKERS = 3
DEFAULT_RETENTION = 5 << 20  # bytes a partition
RAISED_RETENTION = 1 << 30
LIMITS = struct.Struct("<qq")  # (max_size, max_cnt) lie side by side as one 16-byte constant


def raise_retention() -> int:
    """Raise the mock broker's retention in this process' memory; the bytes that a partition keeps now.

    On Linux only, and only if the constant is found exactly once; otherwise nothing is changed.
    """
    wanted = LIMITS.pack(DEFAULT_RETENTION, 100_000)
    try:
        maps = Path("/proc/self/maps").read_text().splitlines()
    except OSError:
        return DEFAULT_RETENTION
    hits = [hit for line in maps if "librdkafka" in line for hit in _find(line, wanted)]
    if len(hits) != 1:
        return DEFAULT_RETENTION
    _overwrite(hits[0], LIMITS.pack(RAISED_RETENTION, 100_000_000))
    return RAISED_RETENTION


def _find(line: str, wanted: bytes) -> list[int]:
    span, mode = line.split()[:2]
    if not mode.startswith("r"):
        return []
    start, end = (int(address, 16) for address in span.split("-"))
    memory = ctypes.string_at(start, end - start)
    hits, at = [], memory.find(wanted)
    while at >= 0:
        hits.append(start + at)
        at = memory.find(wanted, at + 1)
    return hits


def _overwrite(address: int, value: bytes) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    page = address & ~(mmap.PAGESIZE - 1)
    length = address + len(value) - page
    read, write = 1, 2
    if libc.mprotect(ctypes.c_void_p(page), ctypes.c_size_t(length), read | write):
        raise OSError(ctypes.get_errno(), "mprotect")
    ctypes.memmove(address, value, len(value))
    libc.mprotect(ctypes.c_void_p(page), ctypes.c_size_t(length), read)


def serve(folder: Path) -> None:
    """Serve the log until killed."""
    from confluent_kafka import Producer

    retention = raise_retention()
    producer = Producer({"test.mock.num.brokers": str(BROKERS)})
    brokers = sorted(f"{broker.host}:{broker.port}" for broker in producer.list_topics().brokers.values())
    state = {"brokers": brokers, "retention": retention, "pid": os.getpid()}
    new = folder / "log.json.new"
    new.write_text(json.dumps(state))
    new.replace(folder / "log.json")
    while True:
        producer.poll(0)
        time.sleep(1)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
