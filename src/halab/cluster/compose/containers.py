"""`docker inspect` of a cluster's containers, parsed into the course's terms.

Pure functions, but for `main_pid`, which reads the process table: Docker knows only a container's first
process, which may be a small init.
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

__all__ = [
    "GRPC",
    "METRICS",
    "MILVUS",
    "Container",
    "etcd_root",
    "main_pid",
    "milvus_of",
    "parse_containers",
    "profile_of",
]

# Where each role listens inside its container, and what stands in its session in etcd: Milvus' defaults, or
# set in the Compose file.
GRPC = {
    "rootcoord": 53100,
    "querycoord": 19531,
    "datacoord": 13333,
    "mixcoord": 53100,  # the root coordinator's, whose server it uses
    "streamingnode": 22222,
    "querynode": 21123,
    "datanode": 21124,
    "indexnode": 21121,
    "proxy": 19529,  # for its peers; clients use 19530
}
MILVUS = tuple(GRPC)
METRICS = 9091
PUBLIC = {"proxy": 19530, "etcd": 2379, "log": 9092, "objectstore": 8333}
_LONGEST_LEASE = 60.0  # seconds: Milvus 2.3 without a setting
_INITS = {"docker-init", "tini", "catatonit", "dumb-init", "sh", "bash", "dash"}


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
    image: str
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
        """True if it runs, and has no network."""
        return not self.networks and self.state in ("running", "restarting")

    @property
    def session(self) -> str:
        """The address that a Milvus role writes into its session in etcd."""
        return f"{self.ip}:{GRPC[self.role]}" if self.is_milvus else ""

    @property
    def lease(self) -> float:
        """Seconds its session outlives it: its setting common.session.ttl, or the longest default."""
        names = {name.lower().replace("_", ""): value for name, value in self.env.items()}
        return float(names.get("commonsessionttl") or _LONGEST_LEASE)

    @property
    def address(self) -> str:
        """Where its peers reach it; for a proxy, where clients do."""
        return f"{self.ip or '-'}:{PUBLIC.get(self.role) or GRPC[self.role]}"

    def fault(self) -> str:
        """The fault that it has now, whoever made it, or "".

        A container that exited by itself has none: Docker's restart policy starts it again.
        """
        if self.state == "paused":
            return "hang"
        if self.cut_off:
            return "partition"
        if self.state == "exited":
            return "crash" if self.exit_code == 137 else "stop"
        return ""


def parse_containers(inspected: Iterable[Mapping[str, Any]]) -> list[Container]:
    """The containers that are components of a cluster, in the order of the roles; others are left out.

    The first container of a service is named as the service; further ones, from `add`, get the next numbers.
    """
    components = [item for item in inspected if _labels(item).get(ROLE) in ROLES]
    last: dict[str, int] = {}  # the highest number of a service, by role
    for item in components:
        role, number = _labels(item)[ROLE], _service(item).rpartition("-")[2]
        if number.isdigit():
            last[role] = max(last.get(role, 0), int(number))
    parsed = [_container(item, last) for item in components]
    return sorted(
        parsed, key=lambda container: (ROLES.index(container.role), len(container.name), container.name)
    )


def _container(item: Mapping[str, Any], last: Mapping[str, int]) -> Container:
    labels, state, host = _labels(item), item["State"], item["HostConfig"]
    service, copy = _service(item), int(labels.get("com.docker.compose.container-number", 1))
    role = labels[ROLE]
    networks = item["NetworkSettings"].get("Networks") or {}
    return Container(
        id=item["Id"],
        name=service if copy == 1 else f"{role}-{last.get(role, 1) + copy - 1}",
        service=service,
        role=role,
        state=state["Status"],
        pid=state.get("Pid") or 0,
        started=_seconds(state.get("StartedAt", "")),
        restarts=item.get("RestartCount", 0),
        healthcheck=(state.get("Health") or {}).get("Status", ""),
        exit_code=state.get("ExitCode", 0),
        out_of_memory=state.get("OOMKilled", False),
        image=item["Config"].get("Image", ""),
        networks={network: tuple(net.get("Aliases") or ()) for network, net in networks.items()},
        ip=next((net["IPAddress"] for net in networks.values() if net.get("IPAddress")), ""),
        ports=_ports(item["NetworkSettings"].get("Ports") or {}),
        cpus=(host.get("NanoCpus") or 0) / 1e9,
        env=dict(text.partition("=")[::2] for text in item["Config"].get("Env") or ()),
    )


def _labels(item: Mapping[str, Any]) -> Mapping[str, str]:
    labels: Mapping[str, str] = item["Config"].get("Labels") or {}
    return labels


def _service(item: Mapping[str, Any]) -> str:
    return _labels(item)["com.docker.compose.service"]


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
    by_role: dict[str, int] = {}
    for item in inspected:
        ports = _ports(item["NetworkSettings"].get("Ports") or {})
        by_role[_labels(item).get(ROLE, "")] = ports.get(PUBLIC["proxy"], 0)
    return by_role.get("balancer") or by_role.get("proxy", 0)


def etcd_root(containers: Iterable[Container]) -> str:
    """The root of Milvus' keys in etcd: its setting etcd.rootPath, or its default."""
    for container in containers:
        for name, value in container.env.items():
            if container.is_milvus and name.lower().replace("_", "") == "etcdrootpath":
                return value
    return "by-dev"


def profile_of(containers: Iterable[Container]) -> str:
    """Which profile of the file these containers are of: "ha" has a standby, "small" has one of each."""
    spares = ("rootcoord-2", "mixcoord-2")
    return "ha" if any(container.name in spares for container in containers) else "small"


def milvus_of(containers: Iterable[Container]) -> str:
    """Which line of Milvus these containers are of: "2.5" or, by their roles and image, "2.6" or "3.0"."""
    mixed = [container.image for container in containers if container.role == "mixcoord"]
    if not mixed:
        return "2.5"
    return "3.0" if ":v3." in mixed[0] else "2.6"


def project_of(inspected: Mapping[str, Any]) -> str:
    return _labels(inspected).get(PROJECT, "")


def main_pid(container: Container) -> int | None:
    """The host's pid of a container's real process, behind its init or shell.

    None if the container does not run, or runs in a virtual machine, as with Docker Desktop.
    """
    if not container.pid or container.state not in ("running", "paused"):
        return None
    try:
        if container.id not in Path(f"/proc/{container.pid}/cgroup").read_text() and not _in_our_kernel(
            container
        ):
            return None
        process = psutil.Process(container.pid)
        while process.name() in _INITS and (children := process.children()):
            process = max(children, key=lambda child: child.memory_info().rss)
        return process.pid
    except (OSError, psutil.Error):
        return None


def _in_our_kernel(container: Container) -> bool:
    """Whether the pid Docker gives is one of this machine's: with cgroup v2, whose path may be just "/", the
    start time has to tell."""
    try:
        return abs(psutil.Process(container.pid).create_time() - container.started) < 5
    except psutil.Error:
        return False


def uptime(container: Container) -> float:
    """Seconds since it was started; 0 if it does not run."""
    return max(0.0, time.time() - container.started) if container.state in ("running", "paused") else 0.0
