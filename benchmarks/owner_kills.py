"""Owners of a cluster are killed (SIGKILL) at random moments, every second one while it starts; what is left?

    python benchmarks/owner_kills.py [kills] [seed]        100 kills if not given

Counted are processes that work in the cluster's folder, ports of the cluster on which something listens,
and the folders and sockets that it made. The exit status is 1 if anything is left.
"""

from __future__ import annotations

import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from halab.cluster.embedded import embedded_cluster
from halab.cluster.embedded.outside_files import MILVUS, MILVUS_OF_ROOT
from halab.cluster.embedded.spec import ClusterSpec

NAME = "owned"
OWNER = f"""
import halab, time
halab.cluster({NAME!r}, profile="small")
print("ready", flush=True)
time.sleep(600)
"""
GONE_WITHIN = 30.0  # seconds; the supervisor looks for its owner twice a second, and a machine may be busy
STARTING = 5.0  # seconds after the owner's first breath within which it is killed while it starts


def left_behind(home: Path, spec: ClusterSpec | None, killed: float) -> list[str]:
    """What an owner left that was `killed` (seconds since 1970), in words."""
    left = [f"process {process.pid}" for process in psutil.process_iter() if works_in(process, home)]
    ports = {port for process in spec.processes for port in process.ports.values()} if spec else set()
    for connection in psutil.net_connections("inet"):
        port = connection.laddr.port
        # Who began later has taken a port that was free again.
        if connection.status == psutil.CONN_LISTEN and port in ports and began(connection.pid) < killed:
            left.append(f"port {port}")
    left += [f"folder {path}" for path in (home / "clusters").glob("*/")]
    if spec and spec.socket.parent.exists():
        left.append(f"folder {spec.socket.parent}")
    return left + [f"file {path}" for path in (outside_files(spec) if spec else ())]


def works_in(process: psutil.Process, home: Path) -> bool:
    """True if a process runs in the cluster's folder, or was started with its name, as the supervisor is."""
    try:
        names = (process.cwd(), *process.cmdline())
        return process.status() != psutil.STATUS_ZOMBIE and any(str(home) in name for name in names)
    except psutil.Error:
        return False


def began(pid: int | None) -> float:
    """When a process began, seconds since 1970; never, if it has ended; at once, if it is hidden from us."""
    try:
        return psutil.Process(pid).create_time() if pid else 0.0
    except psutil.NoSuchProcess:
        return math.inf


def outside_files(spec: ClusterSpec) -> list[Path]:
    """Milvus' pid files and SeaweedFS' sockets of a cluster."""
    stores = spec.of_role("objectstore")
    sockets = [Path("/tmp").glob(f"seaweedfs-*-{port}.sock") for s in stores for port in s.ports.values()]
    name = spec.socket.parent.name
    pids = [folder.glob(f"*{name}-*.pid") for folder in (MILVUS, MILVUS_OF_ROOT)]
    return [path for paths in (*sockets, *pids) for path in paths if written(path) > spec_time(spec)]


def written(path: Path) -> float:
    """When a file was written, seconds since 1970; 0 if it has gone meanwhile."""
    try:
        return path.lstat().st_mtime
    except FileNotFoundError:
        return 0.0


def spec_time(spec: ClusterSpec) -> float:
    """When the owner of a cluster began, seconds since 1970: what is older is of another one."""
    return spec.owner.created if spec.owner else 0.0


def spec_of(home: Path) -> ClusterSpec | None:
    try:
        return ClusterSpec.load(home / "clusters" / NAME)
    except (OSError, ValueError):
        return None


def kill_one(home: Path, starting: bool, moment: float) -> list[str]:
    """Start an owner, kill it after `moment` seconds of its start, or of being ready; what is left then."""
    with subprocess.Popen(
        [sys.executable, "-c", OWNER], stdout=subprocess.PIPE, env=os.environ | {"HALAB_HOME": str(home)}
    ) as owner:
        if not starting:
            assert owner.stdout is not None
            assert owner.stdout.readline() == b"ready\n", "the cluster did not come up"
        time.sleep(moment)
        spec = spec_of(home)
        killed = time.time()
        owner.send_signal(signal.SIGKILL)
    spec = spec or spec_of(home)
    until = time.monotonic() + GONE_WITHIN
    while (left := left_behind(home, spec, killed)) and time.monotonic() < until:
        time.sleep(0.1)
    return left


def main() -> int:
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    chance = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    worst = 0
    with tempfile.TemporaryDirectory() as home:
        os.environ["HALAB_HOME"] = home  # clusters of a benchmark are no learner's clusters
        embedded_cluster.find_binaries()
        for number in range(kills):
            starting = number % 2 == 0
            moment = chance.uniform(0, STARTING if starting else 1.0)
            left = kill_one(Path(home), starting, moment)
            worst += bool(left)
            if left:
                print(f"kill {number}, {moment:.2f} s after {'the start' if starting else 'ready'}: {left}")
            embedded_cluster.down_all()
    early = (kills + 1) // 2
    print(f"{kills} owners killed, {early} of them while the cluster started: {worst} left something.")
    return 1 if worst else 0


if __name__ == "__main__":
    sys.exit(main())
