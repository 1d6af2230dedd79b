"""How Milvus is built, by version: which parts, who needs whom, how long a session lasts.

One description, `Architecture`, that the measured version (2.3.5) and today's fill. What holds of 2.6 and 3.0
is from documentation, release notes and issues; nothing of it was measured here. Each row names its source.
Not established, and so in no row: whether a metadata call of 2.6 waits for a lost proxy to drop what it
remembers, and how many seconds a channel of the log takes to move to another streaming node.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from halab.models.failover import MILVUS, Failover, Lease
from halab.models.survival import FACTS, Fact, Needs, Upset
from halab.translation import gettext_noop

__all__ = ["ARCHITECTURES", "COURSE", "Architecture", "Sessions", "version_of"]

COURSE = "2.3.5"
"""The version that the course breaks, and the only one whose facts were measured."""


@dataclass(frozen=True)
class Sessions:
    """Seconds that a session outlasts a crashed process in these patch versions, and who says so."""

    patches: str
    ttl: float
    source: str


@dataclass(frozen=True)
class Architecture:
    """How a version of Milvus is built.

    `layers`: roles by layer, from the clients down. `profiles`: members by role, one of each or highly
    available. `facts`: what each loss does. `sessions`: the session TTL by patch version.
    `revokes`: whether a planned stop of a coordinator gives its lease back.
    """

    version: str
    layers: Mapping[str, tuple[str, ...]]
    profiles: Mapping[str, dict[str, int]]
    facts: tuple[Fact, ...]
    sessions: tuple[Sessions, ...]
    revokes: bool

    @property
    def measured(self) -> bool:
        """Whether its facts were measured here, rather than read."""
        return self.version == COURSE

    @property
    def roles(self) -> tuple[str, ...]:
        """Every role, layer by layer."""
        return tuple(role for roles in self.layers.values() for role in roles)

    @property
    def failovers(self) -> dict[str, Failover]:
        """A coordinator's failover by patch version: its TTL, and what a stop does; the rest as here."""
        return {
            each.patches: replace(MILVUS, detector=Lease(each.ttl), revokes=self.revokes)
            for each in self.sessions
        }

    @property
    def sources(self) -> tuple[str, ...]:
        """Where its facts were read, each once; none where they were measured."""
        return tuple(dict.fromkeys(fact.source for fact in self.facts if fact.source))


_DOCS = "https://milvus.io/docs/v2.6.x/"
_OVERVIEW = f"{_DOCS}architecture_overview.md"
_COMPONENTS = f"{_DOCS}main_components.md"
_STREAMING = f"{_DOCS}streaming_service.md"
_WOODPECKER = f"{_DOCS}use-woodpecker.md"
_STANDBY = "https://github.com/milvus-io/milvus/issues/46475"
_EXIT = "https://github.com/milvus-io/milvus/pull/45228"
_OWNER_LOST = "https://github.com/milvus-io/milvus/issues/53298"
_COPIES = f"{_DOCS}replica.md"


def _read(role: str, *rows: tuple[str, Needs, Upset, str, str]) -> tuple[Fact, ...]:
    """Facts of one role: operations, needs, upset, why, source."""
    return tuple(
        Fact(operation, role, needs, upset, why, source=source)
        for names, needs, upset, why, source in rows
        for operation in names.split(", ")
    )


# Clients know an address, whatever version answers behind it: the measured rows, with a source for today.
_ENTRY = tuple(replace(fact, source=_OVERVIEW) for fact in FACTS if fact.role == "entry")

_TODAY = (
    *_ENTRY,
    *_read(
        "mixcoord",
        (
            "search, strong search",
            "one",
            "leader",
            gettext_noop("The streaming nodes get their timestamps from it."),
            _OVERVIEW,
        ),
        (
            "insert",
            "one",
            "leader",
            gettext_noop("The streaming nodes get the timestamp of each write from it."),
            _OVERVIEW,
        ),
        (
            "metadata call",
            "one",
            "leader",
            gettext_noop("It alone changes metadata; a standby waits out its lease."),
            _STANDBY,
        ),
        (
            "flush",
            "one",
            "leader",
            gettext_noop("It keeps the list of segments, and hands out timestamps."),
            _OVERVIEW,
        ),
        ("load", "one", "leader", gettext_noop("It decides which node loads what."), _OVERVIEW),
    ),
    *_read(
        "streamingnode",
        (
            "search, strong search",
            "one",
            "any",
            gettext_noop("It leads its shards' searches; a report says that copies did not help."),
            _OWNER_LOST,
        ),
        (
            "insert",
            "one",
            "any",
            gettext_noop("It alone writes its channels of the log, until they move to another."),
            _STREAMING,
        ),
        (
            "metadata call",
            "one",
            "any",
            gettext_noop("A change of metadata is an entry in the log as well."),
            _STREAMING,
        ),
        (
            "flush",
            "one",
            "any",
            gettext_noop("It turns new rows into files in the object store."),
            _STREAMING,
        ),
        (
            "load",
            "one",
            "any",
            gettext_noop("Each shard of a loaded collection is led by a streaming node."),
            _STREAMING,
        ),
    ),
    *_read(
        "querynode",
        (
            "search, strong search",
            "one",
            "only copy",
            gettext_noop("It holds the sealed data that is searched."),
            _COPIES,
        ),
        ("load", "one", "never", gettext_noop("Sealed data is loaded into query nodes."), _OVERVIEW),
    ),
    *_read(
        "etcd",
        (
            "search, insert",
            "majority",
            "never",
            gettext_noop("A process that cannot renew its session ends."),
            _EXIT,
        ),
        (
            "strong search",
            "majority",
            "never",
            gettext_noop("A process that cannot renew its session ends."),
            _EXIT,
        ),
        ("metadata call", "majority", "never", gettext_noop("Metadata is kept in etcd."), _COMPONENTS),
        (
            "flush, load",
            "majority",
            "never",
            gettext_noop("What was flushed or loaded is written to etcd."),
            _COMPONENTS,
        ),
    ),
    *_read(
        "log",
        (
            "search, strong search",
            "one",
            "never",
            gettext_noop("Streaming nodes read rows and time ticks in its order."),
            _STREAMING,
        ),
        ("insert", "one", "never", gettext_noop("An insert is an entry in the log."), _STREAMING),
        (
            "metadata call",
            "one",
            "never",
            gettext_noop("A change of metadata is an entry in the log as well."),
            _STREAMING,
        ),
        (
            "flush, load",
            "one",
            "never",
            gettext_noop("Streaming nodes read it up to the moment asked for."),
            _STREAMING,
        ),
    ),
    *_read(
        "objectstore",
        ("flush", "one", "never", gettext_noop("Flushed segments are files in it."), _COMPONENTS),
        ("load", "one", "never", gettext_noop("Segments are loaded from it."), _OVERVIEW),
    ),
)

_IN_STORE = gettext_noop("Woodpecker keeps the log itself in the object store.")


def _without_a_log() -> tuple[Fact, ...]:
    """Today's facts where Woodpecker writes the log to the object store: what the log did, the store does."""
    kept = tuple(fact for fact in _TODAY if fact.role not in ("log", "objectstore"))
    needing = [fact.operation for fact in _TODAY if fact.role == "log"]
    return kept + tuple(
        Fact(operation, "objectstore", "one", "never", _IN_STORE, source=_WOODPECKER) for operation in needing
    )


_WORKERS_TODAY = ("streamingnode", "querynode", "datanode")
_TODAY_SESSIONS = (
    Sessions("2.6.0–2.6.5", 10.0, "https://github.com/milvus-io/milvus/pull/42050"),
    Sessions("2.6.6", 30.0, "https://github.com/milvus-io/milvus/pull/45517"),
    # By the source of 2.6.8, 2.6.22, 3.0.0 and 3.0.1 (2.6.7 was not read); the docs say 30.
    Sessions(
        "2.6.22, 3.0",
        15.0,
        "https://pkg.go.dev/github.com/milvus-io/milvus/pkg/v2@v2.6.22/util/paramtable#pkg-constants",
    ),
)


def _today(version: str, substrate: tuple[str, ...], facts: tuple[Fact, ...]) -> Architecture:
    spared = {"proxy": 2, "mixcoord": 2, "streamingnode": 2, "querynode": 3, "datanode": 2, "etcd": 3}
    single = dict.fromkeys((*substrate, "mixcoord", *_WORKERS_TODAY, "proxy"), 1)
    return Architecture(
        version,
        layers={
            "access": ("proxy",),
            "coordinators": ("mixcoord",),
            "workers": _WORKERS_TODAY,
            "substrate": substrate,
        },
        profiles={"ha": single | spared, "small": single},
        facts=facts,
        sessions=_TODAY_SESSIONS,
        revokes=True,
    )


_COURSE_SPARED = {
    "etcd": 3,
    "log": 1,
    "objectstore": 1,
    "rootcoord": 2,
    "querycoord": 2,
    "datacoord": 2,
    "querynode": 3,
    "datanode": 2,
    "indexnode": 1,
    "proxy": 2,
}

ARCHITECTURES: dict[str, Architecture] = {
    each.version: each
    for each in (
        Architecture(
            COURSE,
            layers={
                "access": ("proxy",),
                "coordinators": ("rootcoord", "querycoord", "datacoord"),
                "workers": ("querynode", "datanode", "indexnode"),
                "substrate": ("etcd", "log", "objectstore"),
            },
            # `small` is what a single point of failure looks like: one of each.
            profiles={"ha": _COURSE_SPARED, "small": dict.fromkeys(_COURSE_SPARED, 1)},
            facts=FACTS,
            sessions=(Sessions(COURSE, 10.0, "set by this course"),),
            revokes=False,
        ),
        _today("2.6", ("etcd", "log", "objectstore"), _TODAY),
        _today("2.6 woodpecker", ("etcd", "objectstore"), _without_a_log()),
    )
}
"""By version. "2.6" stands for 2.6 and 3.0 with the log in Pulsar or Kafka, "2.6 woodpecker" for the same
with Woodpecker, which writes the log to the object store."""


def version_of(roles: Iterable[str]) -> str:
    """Which of `ARCHITECTURES` has these roles: those of a running cluster."""
    there = set(roles)
    if "mixcoord" not in there:
        return COURSE
    return "2.6" if "log" in there else "2.6 woodpecker"
