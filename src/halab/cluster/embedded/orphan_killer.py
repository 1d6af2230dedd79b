"""Kills a cluster's processes when its supervisor dies, where the kernel cannot (macOS).

Usage: python -m halab.cluster.embedded.orphan_killer SUPERVISOR_PID FOLDER
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import psutil

__all__ = ["is_alive", "kill_recorded", "record", "watch"]

PIDS = "pids.json"


def is_alive(pid: int, created: float) -> bool:
    """Whether the process created at that time (seconds since 1970) still runs under its pid."""
    try:
        process = psutil.Process(pid)
        return abs(process.create_time() - created) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def record(folder: Path, pids: list[int]) -> None:
    """Write down a cluster's processes, with their start times since a pid may be reused."""
    rows = []
    for pid in pids:
        try:
            rows.append([pid, psutil.Process(pid).create_time()])
        except psutil.Error:
            continue
    new = folder / f"{PIDS}.new"
    new.write_text(json.dumps(rows))
    new.replace(folder / PIDS)


def kill_recorded(folder: Path) -> list[int]:
    """SIGKILL the recorded processes that still run, and wait until they have ended; their pids."""
    try:
        rows = json.loads((folder / PIDS).read_text())
    except (OSError, ValueError):
        return []
    victims = []
    for pid, created in rows:
        try:
            process = psutil.Process(pid)
            if abs(process.create_time() - created) < 1:
                process.kill()
                victims.append(process)
        except psutil.Error:
            continue
    psutil.wait_procs(victims, timeout=10)
    return [process.pid for process in victims]


def watch(supervisor: int, folder: Path, interval: float = 0.5) -> None:
    """Wait until the process `supervisor` is gone, then kill what it left."""
    while psutil.pid_exists(supervisor) and psutil.Process(supervisor).status() != psutil.STATUS_ZOMBIE:
        time.sleep(interval)
    kill_recorded(folder)


if __name__ == "__main__":
    watch(int(sys.argv[1]), Path(sys.argv[2]))
