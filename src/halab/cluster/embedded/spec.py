"""What a cluster consists of: its processes, ports, folder and owner, as one JSON file in its folder."""

from __future__ import annotations

import re
import secrets
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field

from halab.cluster.profiles import PROFILES
from halab.errors import ClusterError
from halab.folders import home_folder
from halab.models.validation import did_you_mean
from halab.translation import gettext

__all__ = [
    "PORTS",
    "ClusterSpec",
    "Owner",
    "Process",
    "clusters_folder",
    "make_spec",
    "ports_needed",
]

Profile = Literal["ha", "small"]

# Ports each role listens on; the first is the one it is known by.
PORTS: dict[str, tuple[str, ...]] = {
    "etcd": ("client", "peer"),
    "log": (),  # the mock broker picks its own ports and cannot be told otherwise
    "objectstore": (
        "s3",
        "s3grpc",
        "master",
        "mastergrpc",
        "volume",
        "volumegrpc",
        "filer",
        "filergrpc",
        "admin",
        "admingrpc",
    ),
    **dict.fromkeys(
        ("rootcoord", "querycoord", "datacoord", "querynode", "datanode", "indexnode"), ("grpc", "metrics")
    ),
    "proxy": ("grpc", "metrics", "internal"),
}
NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")


class Owner(BaseModel):
    """The process that a cluster ends with. `created` (seconds since 1970) guards against a reused pid.

    `notebook` is the file name of the notebook whose kernel that is, or empty.
    """

    pid: int
    created: float
    notebook: str = ""


class Process(BaseModel):
    """One process of a cluster, such as rootcoord-2."""

    name: str
    role: str
    ports: dict[str, int] = Field(default_factory=dict)

    @property
    def port(self) -> int:
        return next(iter(self.ports.values()), 0)

    @property
    def is_milvus(self) -> bool:
        return self.role not in ("etcd", "log", "objectstore")


class ClusterSpec(BaseModel):
    """A cluster's settings. `ttl` is the session TTL in seconds; `owner` is None if detached."""

    name: str
    profile: Profile
    ttl: int
    folder: Path
    socket: Path
    owner: Owner | None
    processes: list[Process]
    access_key: str
    secret_key: str
    versions: dict[str, str]

    @property
    def prefix(self) -> str:
        """Root of the cluster's keys in etcd, of its topics in the log and of its files in the store."""
        return f"halab-{self.name}"

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.of_role('proxy')[0].port}"

    def of_role(self, role: str) -> list[Process]:
        return [process for process in self.processes if process.role == role]

    def etcd_endpoints(self) -> list[str]:
        return [f"127.0.0.1:{member.ports['client']}" for member in self.of_role("etcd")]

    def spare(self, role: str, ports: list[int]) -> Process:
        """One more process of a role, with the lowest number that is free, on these `ports`."""
        taken = {process.name for process in self.processes}
        number = next(n for n in range(1, len(taken) + 2) if f"{role}-{n}" not in taken)
        return Process(name=f"{role}-{number}", role=role, ports=dict(zip(PORTS[role], ports, strict=True)))

    def save(self) -> None:
        """Write cluster.json, readable by its owner only: it holds the object store's keys."""
        path = self.folder / "cluster.json"
        path.touch(mode=0o600)
        path.write_text(self.model_dump_json(indent=1))

    @classmethod
    def load(cls, folder: Path) -> ClusterSpec:
        return cls.model_validate_json((folder / "cluster.json").read_text())


def clusters_folder() -> Path:
    """Where clusters live, one folder each; absolute, since each process has a working folder of its own."""
    return (home_folder() / "clusters").absolute()


def ports_needed(profile: str) -> int:
    return sum(count * len(PORTS[role]) for role, count in PROFILES[profile].items())


def make_spec(
    name: str,
    profile: str,
    ttl: float,
    *,
    socket: Path,
    owner: Owner | None,
    ports: list[int],
    versions: dict[str, str],
) -> ClusterSpec:
    """A new cluster's settings, on these `ports`. Raises ClusterError for a bad name, profile or TTL."""
    check_settings(name, profile, ttl)
    supply = iter(ports)
    processes = [
        Process(
            name=role if role in ("log", "objectstore") else f"{role}-{number}",
            role=role,
            ports={port: next(supply) for port in PORTS[role]},
        )
        for role, count in PROFILES[profile].items()
        for number in range(1, count + 1)
    ]
    return ClusterSpec(
        name=name,
        profile="ha" if profile == "ha" else "small",
        ttl=int(ttl),
        folder=clusters_folder() / name,
        socket=socket,
        owner=owner,
        processes=processes,
        access_key=secrets.token_hex(10),
        secret_key=secrets.token_hex(20),
        versions=versions,
    )


def check_settings(name: str, profile: str, ttl: float) -> None:
    """Raise ClusterError if a cluster cannot be made with these settings."""
    if not NAME.fullmatch(name):
        raise ClusterError(
            gettext(
                "A cluster's name is lower-case letters, digits and hyphens, at most 31; got {name!r}."
            ).format(name=name),
            hint=gettext('Try "course" or "lab-2".'),
        )
    if profile not in PROFILES:
        raise ClusterError(
            gettext("There is no profile {profile!r}.").format(profile=profile),
            hint=gettext("{did_you_mean}Choose one of: {profiles}.").format(
                did_you_mean=did_you_mean(profile, PROFILES), profiles=", ".join(PROFILES)
            ),
        )
    if ttl != int(ttl) or not 2 <= ttl <= 120:
        raise ClusterError(
            gettext(
                "The session TTL is whole seconds from 2 to 120 (etcd leases count in seconds); got {ttl}."
            ).format(ttl=ttl),
            hint=gettext("10 is the course's default; Milvus ships 30."),
        )
