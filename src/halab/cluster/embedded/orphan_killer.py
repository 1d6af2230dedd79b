"""Kills a cluster's processes when its supervisor dies, where the kernel cannot (macOS).

Usage: python -m halab.cluster.embedded.orphan_killer SUPERVISOR_PID FOLDER
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import psutil

__all__ = ["is_alive", "kill_recorded", "record", "stopped_supervisor", "watch"]

PIDS = "pids.json"


def is_alive(pid: int, created: float) -> bool:
    """Whether the process created at that time (seconds since 1970) still runs under its pid."""
    try:
        process = _same(pid, created)
        return process is not None and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def record(folder: Path, pids: list[int]) -> None:
    """Write down a cluster's processes, its supervisor first, with their start times: a pid may be reused."""
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
    victims = []
    for pid, created in _recorded(folder):
        try:
            if process := _same(pid, created):
                process.kill()
                victims.append(process)
        except psutil.Error:
            continue
    psutil.wait_procs(victims, timeout=10)
    return [process.pid for process in victims]


def stopped_supervisor(folder: Path) -> int | None:
    """The pid of a cluster's supervisor if a signal has stopped it (SIGSTOP), so that it answers nobody."""
    for pid, created in _recorded(folder)[:1]:
        try:
            process = _same(pid, created)
            return pid if process and process.status() == psutil.STATUS_STOPPED else None
        except psutil.Error:
            continue
    return None


def _recorded(folder: Path) -> list[tuple[int, float]]:
    """The pids that `record` wrote, with their start times; none if there is no record."""
    try:
        return [(pid, created) for pid, created in json.loads((folder / PIDS).read_text())]
    except (OSError, ValueError):
        return []


def _same(pid: int, created: float) -> psutil.Process | None:
    """The process that was created then; None if another has its pid now. Raises psutil.NoSuchProcess."""
    process = psutil.Process(pid)
    return process if abs(process.create_time() - created) < 1 else None


def watch(supervisor: int, folder: Path, interval: float = 0.5) -> None:
    """Wait until the process `supervisor` is gone, then kill what it left."""
    while psutil.pid_exists(supervisor) and psutil.Process(supervisor).status() != psutil.STATUS_ZOMBIE:
        time.sleep(interval)
    kill_recorded(folder)


if __name__ == "__main__":
    watch(int(sys.argv[1]), Path(sys.argv[2]))
