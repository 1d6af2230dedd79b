"""What `docker inspect` says of a cluster's containers, and what it means in the course's words.

Pure, but for the process tree: Docker knows a container's first process, which may only be a small init.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from halab.cluster.compose.docker import PROJECT, ROLE
from halab.cluster.protocol import ROLES

__all__ = ["GRPC", "METRICS", "MILVUS", "Container", "containers", "etcd_root", "profile_of", "work_of"]

# Where each role listens inside its container, and what stands in its session in etcd: Milvus' defaults.
GRPC = {
    "rootcoord": 53100,
    "querycoord": 19531,
    "datacoord": 13333,
    "querynode": 21123,
    "datanode": 21124,
    "indexnode": 21121,
    "proxy": 19529,  # for its peers; clients use 19530
}
MILVUS = tuple(GRPC)
METRICS = 9091
PUBLIC = {"proxy": 19530, "etcd": 2379, "log": 9092, "objectstore": 8333}
_LONGEST_LEASE = 60.0  # seconds: Milvus 2.3 without a setting
_STARTERS = {"docker-init", "tini", "catatonit", "dumb-init", "sh", "bash", "dash"}


@dataclass(frozen=True, slots=True)
class Container:
    """A container of the course.

    `started` is seconds since 1970, 0 if it never was; `networks` holds the names it has in each network;
    `ip` is "" while it has no address; `ports` are loopback ports by the container's own; `cpus` is its
    limit in cores, 0 for none.
    """

    id: str
    name: str
    service: str
    role: str
    state: str
    pid: int
    started: float
    restarts: int
    healthcheck: str
    exit_code: int
    out_of_memory: bool
    networks: Mapping[str, Sequence[str]]
    ip: str
    ports: Mapping[int, int]
    cpus: float
    env: Mapping[str, str]

    @property
    def is_milvus(self) -> bool:
        return self.role in MILVUS

    @property
    def running(self) -> bool:
        return self.state == "running"

    @property
    def cut_off(self) -> bool:
        """Without any network, although it runs."""
        return not self.networks and self.state in ("running", "restarting")

    @property
    def session(self) -> str:
        """The address that a Milvus role writes into its session."""
        return f"{self.ip}:{GRPC[self.role]}" if self.is_milvus else ""

    @property
    def lease(self) -> float:
        """Seconds its session outlives it: its setting common.session.ttl, or the longest default."""
        names = {name.lower().replace("_", ""): value for name, value in self.env.items()}
        return float(names.get("commonsessionttl") or _LONGEST_LEASE)

    @property
    def address(self) -> str:
        """Where its peers find it; a proxy, where clients do."""
        return f"{self.ip or '-'}:{PUBLIC.get(self.role) or GRPC[self.role]}"

    def fault(self) -> str:
        """The fault that it has now, whoever made it, or "". A container that ended by itself has none:
        Docker starts that again."""
        if self.state == "paused":
            return "hang"
        if self.cut_off:
            return "partition"
        if self.state == "exited":
            return "crash" if self.exit_code == 137 else "stop"
        return ""


def containers(inspected: Iterable[Mapping[str, Any]]) -> list[Container]:
    """The containers that are components of a cluster, in the order of the roles; others are left out.

    The first container of a service is named as the service; further ones, from `add`, get the next numbers.
    """
    found = [one for one in inspected if _labels(one).get(ROLE) in ROLES]
    last: dict[str, int] = {}
    for one in found:
        role, number = _labels(one)[ROLE], _service(one).rpartition("-")[2]
        if number.isdigit():
            last[role] = max(last.get(role, 0), int(number))
    made = [_container(one, last) for one in found]
    return sorted(made, key=lambda one: (ROLES.index(one.role), len(one.name), one.name))


def _container(one: Mapping[str, Any], last: Mapping[str, int]) -> Container:
    labels, state, host = _labels(one), one["State"], one["HostConfig"]
    service, copy = _service(one), int(labels.get("com.docker.compose.container-number", 1))
    role = labels[ROLE]
    networks = one["NetworkSettings"].get("Networks") or {}
    return Container(
        id=one["Id"],
        name=service if copy == 1 else f"{role}-{last.get(role, 1) + copy - 1}",
        service=service,
        role=role,
        state=state["Status"],
        pid=state.get("Pid") or 0,
        started=_seconds(state.get("StartedAt", "")),
        restarts=one.get("RestartCount", 0),
        healthcheck=(state.get("Health") or {}).get("Status", ""),
        exit_code=state.get("ExitCode", 0),
        out_of_memory=state.get("OOMKilled", False),
        networks={network: tuple(net.get("Aliases") or ()) for network, net in networks.items()},
        ip=next((net["IPAddress"] for net in networks.values() if net.get("IPAddress")), ""),
        ports=_ports(one["NetworkSettings"].get("Ports") or {}),
        cpus=(host.get("NanoCpus") or 0) / 1e9,
        env=dict(text.partition("=")[::2] for text in one["Config"].get("Env") or ()),
    )


def _labels(one: Mapping[str, Any]) -> Mapping[str, str]:
    labels: Mapping[str, str] = one["Config"].get("Labels") or {}
    return labels


def _service(one: Mapping[str, Any]) -> str:
    return _labels(one)["com.docker.compose.service"]


def _ports(published: Mapping[str, Sequence[Mapping[str, str]] | None]) -> dict[int, int]:
    return {
        int(inside.partition("/")[0]): int(bindings[0]["HostPort"])
        for inside, bindings in published.items()
        if bindings
    }


def _seconds(stamp: str) -> float:
    """Docker's time stamps, such as 2026-11-25T14:50:00.123456789Z; the year 1 stands for never."""
    if not stamp or stamp.startswith("0001"):
        return 0.0
    return datetime.fromisoformat(stamp).timestamp()


def balancer_port(inspected: Iterable[Mapping[str, Any]]) -> int:
    """The loopback port where clients reach Milvus: the balancer's, without one a proxy's, or 0."""
    found: dict[str, int] = {}
    for one in inspected:
        ports = _ports(one["NetworkSettings"].get("Ports") or {})
        found[_labels(one).get(ROLE, "")] = ports.get(PUBLIC["proxy"], 0)
    return found.get("balancer") or found.get("proxy", 0)


def etcd_root(found: Iterable[Container]) -> str:
    """Under which root Milvus keeps its keys in etcd: its setting etcd.rootPath, or its default."""
    for one in found:
        for name, value in one.env.items():
            if one.is_milvus and name.lower().replace("_", "") == "etcdrootpath":
                return value
    return "by-dev"


def profile_of(found: Iterable[Container]) -> str:
    """Which profile of the file these containers are of: "ha" has a standby, "small" has one of each."""
    return "ha" if any(one.name == "rootcoord-2" for one in found) else "small"


def project_of(inspected: Mapping[str, Any]) -> str:
    return _labels(inspected).get(PROJECT, "")


def work_of(one: Container) -> int | None:
    """The host's pid of the process that does a container's work: not its init, nor its shell.

    None if the container does not run, or runs in another machine, as with Docker Desktop.
    """
    if not one.pid or one.state not in ("running", "paused"):
        return None
    try:
        if one.id not in Path(f"/proc/{one.pid}/cgroup").read_text() and not _in_our_kernel(one):
            return None
        process = psutil.Process(one.pid)
        while process.name() in _STARTERS and (children := process.children()):
            process = max(children, key=lambda child: child.memory_info().rss)
        return process.pid
    except (OSError, psutil.Error):
        return None


def _in_our_kernel(one: Container) -> bool:
    """With cgroup v2 a container's processes may show "/" only; then its start time has to tell."""
    try:
        return abs(psutil.Process(one.pid).create_time() - one.started) < 5
    except psutil.Error:
        return False


def uptime(one: Container) -> float:
    return max(0.0, time.time() - one.started) if one.state in ("running", "paused") else 0.0
