"""The architecture map: every process of a cluster by layer, who leads, and what stands or falls with each.

    ArchitectureMap("ha")             # a profile, before anything runs
    ArchitectureMap(version="2.6")    # today's, from documentation; a switch on the map changes it
    ArchitectureMap(cluster)          # the cluster that runs; looked at once a second while it is on screen

What falls with a part is worked out from the facts of `halab.models.milvus_versions`, for the cluster as
it is then.
Names in other versions: Milvus' release notes of 2.6 (streaming node, mixcoord, index node).
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import traitlets

from halab.cluster.protocol import COORDINATORS, ROLES, Cluster, Component
from halab.errors import ClusterError, CourseError
from halab.models.milvus_versions import ARCHITECTURES, COURSE, Architecture, version_of
from halab.models.survival import FACTS, Fact, Member, Verdict, members, verdicts
from halab.tables import text_table
from halab.translation import gettext, gettext_noop, speaking
from halab.widgets.base import CourseWidget, front_end
from halab.widgets.survival_map import (
    DOCUMENTED,
    architecture_of,
    parts_of,
)

__all__ = ["LAYERS", "ArchitectureMap"]

_PERIOD = 1.0  # seconds between two looks at the cluster
_LED = (*COORDINATORS, "etcd")

LAYERS = ARCHITECTURES[COURSE].layers
"""The four layers of the course's Milvus, from the clients down, with their roles."""

_MIXCOORD = "mixcoord"

# By role: what it does, its name in 2.3 to 2.5, and what does its work in 2.6 and 3.0.
_ABOUT: dict[str, tuple[str, str, str]] = {
    "proxy": (
        gettext_noop(
            "Takes in the clients' requests, hands searches to query nodes and appends rows to the log."
        ),
        "proxy",
        gettext_noop("proxy; rows are appended by the streamingnode"),
    ),
    "rootcoord": (
        gettext_noop("Keeps the metadata and hands out timestamps. One is active, the others stand by."),
        "rootcoord",
        "mixcoord",
    ),
    "querycoord": (
        gettext_noop("Decides which query node loads what. One is active, the others stand by."),
        "querycoord",
        "mixcoord",
    ),
    "datacoord": (
        gettext_noop(
            "Assigns segments to rows and seals them; since 2.3 it also does the index coordinator's work."
        ),
        "datacoord (and indexcoord)",
        "mixcoord",
    ),
    "querynode": (
        gettext_noop("Holds loaded data in memory and searches it."),
        "querynode",
        gettext_noop("querynode for sealed data, streamingnode for what is growing"),
    ),
    "datanode": (
        gettext_noop("Reads the log and writes rows to the object store."),
        "datanode",
        gettext_noop("streamingnode flushes; datanode compacts, imports and builds indexes"),
    ),
    "indexnode": (
        gettext_noop(
            "Builds indexes over sealed segments. While it is gone, new segments wait for their index, "
            "and searching them may be slower."
        ),
        "indexnode",
        "datanode",
    ),
    "etcd": (
        gettext_noop("Keeps metadata and the sessions. Its members decide by majority and elect a leader."),
        "etcd",
        "etcd",
    ),
    "log": (
        gettext_noop(
            "Keeps each acknowledged row until it is flushed. Here a Kafka-protocol log with one process."
        ),
        gettext_noop("Kafka, Pulsar or RocksMQ"),
        gettext_noop("Pulsar, Kafka or (default in 3.0) Woodpecker, written by the streamingnode"),
    ),
    "objectstore": (
        gettext_noop("Keeps flushed segments and indexes."),
        gettext_noop("MinIO, S3 or alike"),
        gettext_noop("MinIO, S3 or alike"),
    ),
}


# What the roles of 2.6 and 3.0 do, where that is another thing than above.
_ABOUT_TODAY: dict[str, tuple[str, str, str]] = {
    "proxy": (
        gettext_noop(
            "Takes in the clients' requests and hands them to streaming nodes. It sends no time ticks "
            "any more."
        ),
        *_ABOUT["proxy"][1:],
    ),
    "mixcoord": (
        gettext_noop(
            "Keeps the metadata, hands out timestamps, and decides which node holds what. One is active, "
            "the others stand by; a planned stop gives the lease back."
        ),
        "rootcoord, querycoord, datacoord",
        "mixcoord",
    ),
    "streamingnode": (
        gettext_noop(
            "Owns channels of the log: it alone appends to them, writes new rows to the object store, "
            "and leads the searches of their shards. If it is lost, its channels move to another one."
        ),
        "proxy, querynode, datanode",
        "streamingnode",
    ),
    "querynode": (gettext_noop("Holds sealed data in memory and searches it."), *_ABOUT["querynode"][1:]),
    "datanode": (
        gettext_noop(
            "Compacts files, imports, and builds indexes. While it is gone, new files wait for both, and "
            "searching them may be slower."
        ),
        gettext_noop("datanode and indexnode"),
        "datanode",
    ),
    "log": (
        gettext_noop(
            "Keeps each acknowledged row until it is flushed. Written by the streaming nodes alone."
        ),
        *_ABOUT["log"][1:],
    ),
}


class ArchitectureMap(CourseWidget):
    """A cluster's parts by layer; a part that is selected tells what it does and what falls with it.

    `source` is a running cluster or the name of a profile. `selected` is the name of the part that is chosen.
    `gone` says that the cluster was taken down: the map then stays as it was last seen and looks no more. A
    map that nobody can see looks at nothing. `version` is a key of
    `halab.models.milvus_versions.ARCHITECTURES`: which one is shown first, by default that of the cluster.
    `home` is the version that `parts` are of; the others are on paper. What falls with a part is from
    documentation for all but the course's. Raises CourseError for a version or a profile there is not.
    """

    _esm, _css = front_end("architecture_map")

    parts = traitlets.List().tag(sync=True)
    about = traitlets.Dict().tag(sync=True)
    layers = traitlets.Dict().tag(sync=True)
    facts = traitlets.Dict().tag(sync=True)
    selected = traitlets.Unicode("").tag(sync=True)
    visible = traitlets.Bool(False).tag(sync=True)
    gone = traitlets.Bool(False).tag(sync=True)
    version = traitlets.Enum(tuple(ARCHITECTURES), COURSE).tag(sync=True)
    home = traitlets.Enum(tuple(ARCHITECTURES), COURSE).tag(sync=True)
    architectures = traitlets.Dict().tag(sync=True)

    def __init__(self, source: Cluster | str = "ha", *, version: str | None = None) -> None:
        if isinstance(source, str):
            home, (parts, facts) = ARCHITECTURES[COURSE], _profile(source)
        else:
            parts, facts = _seen(source), _facts(source)
            home = ARCHITECTURES[version_of(part["role"] for part in parts)]
        first = home if version is None else architecture_of(version)
        self._cluster = None if isinstance(source, str) else source
        super().__init__(
            parts=parts,
            facts=facts,
            home=home.version,
            layers={name: list(roles) for name, roles in home.layers.items()},
            version=first.version,
            selected=f"{first.layers['coordinators'][0]}-1",
        )
        self._turned: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._watcher: threading.Thread | None = None
        if self._cluster is not None:
            self.observe(self._seen_or_not, "visible")

    def told(self) -> dict[str, Any]:
        """What the parts are for; why an operation falls with one, of a running cluster at the next look."""
        about = _told_about(ARCHITECTURES[self.home])
        others = {name: _on_paper(each) for name, each in ARCHITECTURES.items() if name != self.home}
        parts = {"parts": _profile(self.facts["profile"])[0]} if self._cluster is None else {}
        return {"about": about, "architectures": others, **parts}

    def look(self) -> None:
        """Look at the cluster now; a cluster that does not answer any more is gone."""
        if self._cluster is None or self.gone:
            return
        try:
            with speaking(self.lang):
                seen = _seen(self._cluster)
        except ClusterError:
            seen = []
        if seen:
            self.parts = seen
        else:
            # Nothing of what was seen last stays healthy on the map.
            self.parts = [part | {"health": "", "ha_state": "", "memory": 0} for part in self.parts]
            self.gone = True

    def text(self) -> str:
        """The parts by layer with their health, HA state and memory."""
        architecture = ARCHITECTURES[self.version]
        at_home = self.version == self.home
        parts = self.parts if at_home else self.architectures[self.version]["parts"]
        rows = [
            [
                gettext(layer.capitalize()),
                part["name"],
                *map(gettext, (part["health"], part["ha_state"])),
                _mebibytes(part["memory"]),
            ]
            for layer, roles in architecture.layers.items()
            for part in parts
            if part["role"] in roles
        ]
        read = (
            []
            if architecture.measured
            else [
                gettext("{documented} Sources: {sources}").format(
                    documented=gettext(DOCUMENTED), sources=" ".join(architecture.sources)
                )
            ]
        )
        return text_table(
            self._heading(),
            [
                gettext_noop("layer"),
                gettext_noop("part"),
                gettext_noop("health"),
                gettext_noop("HA state"),
                gettext_noop("memory"),
            ],
            rows,
            read,
            align="left",
        )

    def _heading(self) -> str:
        if self.version != self.home:
            return gettext("Milvus {version}, from documentation; profile ha").format(version=self.version)
        if "engine" not in self.facts:
            return gettext("Profile {profile}; nothing runs yet").format(profile=self.facts["profile"])
        made_of = "SIMULATED" if self.facts["engine"] == "simulated" else f"Milvus {self.facts['milvus']}"
        return gettext("Cluster {name}, {made_of}").format(name=self.facts["name"], made_of=made_of) + (
            gettext(", taken down since") if self.gone else ""
        )

    def _seen_or_not(self, _: Any) -> None:
        self._turned.put(None)
        if self._watcher is None and self.visible:
            self._watcher = threading.Thread(target=self._watch, name="halab-architecture", daemon=True)
            self._watcher.start()

    def _watch(self) -> None:
        """Look once a second while the map is on screen; ends with the cluster."""
        while not self.gone:
            if self.visible:
                self.look()
            try:
                self._turned.get(timeout=_PERIOD if self.visible else None)
            except queue.Empty:
                continue


def _seen(cluster: Cluster) -> list[dict[str, Any]]:
    """Every component as it is now, and what becomes of the operations without it."""
    components = sorted(
        cluster.components(), key=lambda component: (ROLES.index(component.role), component.name)
    )
    return _with_verdicts(components, ARCHITECTURES[version_of(part.role for part in components)].facts)


def _with_verdicts(components: Sequence[Component], facts: Sequence[Fact]) -> list[dict[str, Any]]:
    down = {component.name for component in components if component.health == "down"}
    parts = _with_leaders(parts_of(components), down)
    nodes = sum(component.role == "querynode" for component in components)
    return [
        component.as_dict() | {"entry": part.role == "entry"} | _judged(part, parts, down, nodes, facts)
        for component, part in zip(components, parts, strict=True)
    ]


def _judged(
    part: Member, parts: Sequence[Member], down: set[str], nodes: int, facts: Sequence[Fact] = FACTS
) -> dict[str, Any]:
    """`already`: what the loss of other parts takes now; `without`: what the loss of this part adds to it."""
    others = verdicts(parts, down - {part.name}, max(1, nodes), facts=facts)
    lost = verdicts(parts, down | {part.name}, max(1, nodes), facts=facts)
    pairs = zip(others, lost, strict=True)
    added = [(_told(now) if _WORSE[now.fate] > _WORSE[before.fate] else None) for before, now in pairs]
    return {
        "already": [_told(verdict) for verdict in others if verdict.fate != "survives"],
        "without": [text for text in added if text] or (_pauses(part) if facts is FACTS else []),
    }


_WORSE = {"survives": 0, "degrades": 1, "stops": 2}

# Measured in lessons 1 and 3, and too short for a row of `halab.models.survival`: operation, why.
_PAUSES = {
    "etcd": (
        "metadata call",
        gettext_noop("It waits for about a second: the other members elect a new leader."),
    ),
    "querynode": (
        "search",
        gettext_noop("When the node is back, its copy may answer without a hit for up to nine seconds."),
    ),
}


def _pauses(part: Member) -> list[dict[str, Any]]:
    """What the loss of a part disturbs for seconds, although enough are left."""
    if part.role not in _PAUSES or (part.role == "etcd" and not part.leads):
        return []
    operation, why = _PAUSES[part.role]
    return [{"operation": operation, "fate": "pauses", "why": [gettext(why)], "sources": []}]


def _with_leaders(parts: Sequence[Member], down: set[str]) -> list[Member]:
    """Where nobody of a role leads since its leader was lost, the lost one still counts as the leader: until
    another one has taken over, its users notice."""
    led = {part.role for part in parts if part.leads}
    return [
        replace(part, leads=part.leads or (part.name in down and part.role not in led and part.role in _LED))
        for part in parts
    ]


def _told(verdict: Verdict) -> dict[str, Any]:
    """What becomes of an operation, and why."""
    return {
        "operation": verdict.operation,
        "fate": verdict.fate,
        "why": list(dict.fromkeys(gettext(fact.why) for fact in verdict.because)),
        "sources": list(dict.fromkeys(fact.source for fact in verdict.because if fact.source)),
    }


def _profile(name: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    course = ARCHITECTURES[COURSE]
    if name not in course.profiles:
        raise CourseError(
            gettext("There is no profile {name!r}.").format(name=name),
            hint=gettext("Choose from {profiles}.").format(profiles=", ".join(course.profiles)),
        )
    return _parts(course, name), {"profile": name}


def _on_paper(architecture: Architecture) -> dict[str, Any]:
    """What the map holds under a version that does not run here."""
    layers = {name: list(roles) for name, roles in architecture.layers.items()}
    return {"parts": _parts(architecture, "ha"), "layers": layers, "about": _told_about(architecture)}


def _told_about(architecture: Architecture) -> dict[str, dict[str, str]]:
    """What each role of a version does."""
    words = _ABOUT if architecture.measured else _ABOUT | _ABOUT_TODAY
    return {role: _about(words[role]) for role in architecture.roles}


def _parts(architecture: Architecture, profile: str) -> list[dict[str, Any]]:
    """A profile's parts while nothing runs, and what falls with each."""
    counts = architecture.profiles[profile]
    parts = members(counts)
    return [
        {
            "name": part.name,
            "role": "proxy" if part.role == "entry" else part.role,
            "health": "",
            "ha_state": _ha_state(part),
            "memory": 0,
            "entry": part.role == "entry",
            **_judged(part, parts, set(), counts["querynode"], architecture.facts),
        }
        for part in parts
    ]


def _ha_state(member: Member) -> Any:
    if member.role == "etcd":
        return "leader" if member.leads else "follower"
    if member.role.endswith("coord"):
        return "active" if member.leads else "standby"
    return ""


def _facts(cluster: Cluster) -> dict[str, Any]:
    return {
        "name": cluster.name,
        "engine": cluster.engine,
        "profile": cluster.profile,
        "ttl": cluster.ttl,
        "milvus": cluster.versions.get("milvus", ""),
    }


def _about(words: tuple[str, str, str]) -> dict[str, str]:
    return dict(zip(("does", "before", "now"), map(gettext, words), strict=True))


def _mebibytes(memory: int) -> str:
    return gettext("{size:.0f} MiB").format(size=memory / 2**20) if memory else ""
