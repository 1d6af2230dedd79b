"""Which operations of a Milvus cluster survive the loss of parts, which are interrupted, which stop.

One table, `FACTS`, of Milvus 2.3.5: a row for each operation and each role that matters to it. It was
measured on the course's embedded cluster (session TTL 10 s, bounded searches of a collection with a copy on
each query node, a load that asks for one copy) and is compared with real faults by
tests/cluster/embedded/test_survival.py. It says nothing of other versions (`halab.models.milvus_versions`
has theirs) or of parts that hang instead of dying. What stops need not stop at once: without etcd, searches
and inserts went on for half a minute, until the processes ended that could not renew their sessions.
Whether a flush or a load is interrupted was not measured, only that it works again afterwards: both take
seconds anyway, and wait for a standby. Clients know one proxy's address. The rows for those that switch are
from lesson 5, where a balancer moves their searches; for other operations they are deduced.

- survives: its users notice nothing, or single requests that were under way.
- degrades: it fails for a while and works again without anybody's help, because something takes over.
- stops: it fails until somebody repairs the part.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from halab.models.topology import Role, Topology
from halab.translation import gettext, gettext_noop

__all__ = [
    "FACTS",
    "OPERATIONS",
    "Fact",
    "Fate",
    "Member",
    "Needs",
    "Upset",
    "Verdict",
    "as_topology",
    "members",
    "single_losses",
    "verdicts",
]

OPERATIONS = ("search", "strong search", "insert", "metadata call", "flush", "load")
"""What users ask of Milvus. Flush makes inserted rows durable in the object store; load makes a collection
searchable by copying it into query nodes; a metadata call (DDL) is here the alteration of an alias."""

Fate = Literal["survives", "degrades", "stops"]
Needs = Literal["one", "majority", "nothing"]
Upset = Literal["leader", "only copy", "any", "never"]

_SINGLE = ("log", "objectstore")
_LED = ("rootcoord", "querycoord", "datacoord", "mixcoord", "etcd")


@dataclass(frozen=True, slots=True)
class Member:
    """A part of a cluster. `leads`: an active coordinator, etcd's leader. `role` is "entry" for the proxy the
    clients talk to and "proxy" for the others: nobody moves clients from one to another here."""

    name: str
    role: str
    leads: bool = False


@dataclass(frozen=True, slots=True)
class Fact:
    """What one operation needs of one role, and when losing a member interrupts it although enough are left.

    `needs`: one member, a majority, or nothing. `upset` by the loss of the leader (until a standby has taken
    over), of any member (until its session ends), of the only copy of the data (until another node has
    loaded it), or never. `switch`: the row counts only for clients that move to another proxy by themselves
    (True), or only for those that do not (False). `source`: where it was read; "" if it was measured here.
    """

    operation: str
    role: str
    needs: Needs
    upset: Upset
    why: str
    switch: bool | None = None
    source: str = ""


def _facts(role: str, *rows: tuple[str, Needs, Upset, str], switch: bool | None = None) -> tuple[Fact, ...]:
    return tuple(
        Fact(operation, role, needs, upset, why, switch)
        for names, needs, upset, why in rows
        for operation in names.split(", ")
    )


_EVERY = ", ".join(OPERATIONS)

FACTS: tuple[Fact, ...] = (
    *_facts(
        "entry",
        (_EVERY, "one", "never", gettext_noop("The clients know this proxy's address and no other.")),
        switch=False,
    ),
    *_facts(
        "entry",
        (
            _EVERY,
            "one",
            "any",
            gettext_noop("The switch must first notice, and then move the clients to another proxy."),
        ),
        switch=True,
    ),
    *_facts(
        "proxy",
        (
            "search",
            "nothing",
            "any",
            gettext_noop("A dead proxy's time ticks are awaited until its session ends."),
        ),
        (
            "strong search",
            "nothing",
            "any",
            gettext_noop("A dead proxy's time ticks are awaited until its session ends."),
        ),
        (
            "metadata call",
            "nothing",
            "any",
            gettext_noop("Every proxy must drop what it remembers, the dead one too."),
        ),
    ),
    *_facts(
        "rootcoord",
        (
            "search, strong search",
            "one",
            "leader",
            gettext_noop("It hands out the timestamps and time ticks."),
        ),
        ("insert", "one", "leader", gettext_noop("It hands out the timestamp and the ids of each insert.")),
        ("metadata call", "one", "leader", gettext_noop("It alone changes metadata.")),
        ("flush, load", "one", "leader", gettext_noop("It hands out timestamps and knows the collections.")),
    ),
    *_facts(
        "querycoord",
        (
            "search, strong search",
            "one",
            "leader",
            gettext_noop("It tells the proxy which node leads a shard."),
        ),
        ("load", "one", "leader", gettext_noop("It decides which node loads what.")),
    ),
    *_facts(
        "datacoord",
        ("insert", "one", "leader", gettext_noop("It assigns the segment that a row goes to.")),
        ("flush", "one", "leader", gettext_noop("It seals the segments that are to be flushed.")),
        ("load", "one", "leader", gettext_noop("It tells which segments there are to load.")),
    ),
    *_facts(
        "querynode",
        ("search, strong search", "one", "only copy", gettext_noop("It holds the data that is searched.")),
        ("load", "one", "never", gettext_noop("A collection is loaded into query nodes.")),
    ),
    *_facts(
        "datanode",
        ("flush", "one", "any", gettext_noop("It writes the rows to the object store.")),
        (
            "load",
            "one",
            "any",
            gettext_noop("A load waits until data nodes watch the collection's channels."),
        ),
    ),
    *_facts(
        "etcd",
        (
            "search, insert",
            "majority",
            "never",
            gettext_noop("Sessions are renewed in it; without that, processes end after a while."),
        ),
        (
            "strong search",
            "majority",
            "never",
            gettext_noop("It waits for the newest time tick, and none is handed out."),
        ),
        ("metadata call", "majority", "never", gettext_noop("Metadata is kept in etcd.")),
        ("flush, load", "majority", "never", gettext_noop("What was flushed or loaded is written to etcd.")),
    ),
    *_facts(
        "log",
        (
            "search, strong search",
            "one",
            "never",
            gettext_noop("Query nodes wait for time ticks that come through it."),
        ),
        ("insert", "one", "never", gettext_noop("An insert is an entry in the log.")),
        (
            "flush, load",
            "one",
            "never",
            gettext_noop("Data and query nodes read it up to the moment asked for."),
        ),
    ),
    *_facts(
        "objectstore",
        ("flush", "one", "never", gettext_noop("Flushed segments are files in it.")),
        ("load", "one", "never", gettext_noop("Segments are loaded from it.")),
    ),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of an operation, and the facts that decide it: none if it survives."""

    operation: str
    fate: Fate
    because: tuple[Fact, ...] = ()


def members(counts: dict[str, int]) -> tuple[Member, ...]:
    """A cluster's parts from how many there are of each role. The first of a coordinator role and of etcd
    leads, and the first proxy is the one that clients talk to."""
    made = []
    for role, count in counts.items():
        for number in range(1, count + 1):
            name = role if role in _SINGLE and count == 1 else f"{role}-{number}"
            serves = "entry" if role == "proxy" and number == 1 else role
            made.append(Member(name, serves, role in _LED and number == 1))
    return tuple(made)


def verdicts(
    parts: Sequence[Member],
    down: Collection[str],
    copies: int,
    *,
    switch: bool = False,
    facts: Sequence[Fact] = FACTS,
) -> tuple[Verdict, ...]:
    """What becomes of each operation when these parts are lost at once; `copies` of the data are loaded.

    `switch`: clients move to another proxy by themselves. Raises ValueError for a part that is not there.
    """
    if unknown := sorted(set(down) - {part.name for part in parts}):
        raise ValueError(gettext("no such parts: {unknown}").format(unknown=", ".join(unknown)))
    if copies < 1:
        raise ValueError(gettext("copies must be at least 1, not {copies}").format(copies=copies))
    return tuple(_verdict(facts, operation, parts, down, copies, switch) for operation in OPERATIONS)


def single_losses(
    parts: Sequence[Member],
    operation: str,
    copies: int,
    *,
    switch: bool = False,
    facts: Sequence[Fact] = FACTS,
) -> tuple[str, ...]:
    """The parts whose loss, of each alone, stops an operation: its single points of failure."""
    return tuple(
        part.name
        for part in parts
        if _verdict(facts, operation, parts, {part.name}, copies, switch).fate == "stops"
    )


def _verdict(
    facts: Sequence[Fact],
    operation: str,
    parts: Sequence[Member],
    down: Collection[str],
    copies: int,
    switch: bool,
) -> Verdict:
    stopping, upsetting = [], []
    for fact in facts:
        if fact.operation != operation or fact.switch not in (None, switch):
            continue
        there = [part for part in parts if _serves(part.role, fact)]
        lost = [part for part in there if part.name in down]
        if len(there) - len(lost) < _least(fact.needs, len(there)):
            stopping.append(fact)
        elif _upsets(fact.upset, lost, copies):
            upsetting.append(fact)
    if stopping:
        return Verdict(operation, "stops", tuple(stopping))
    return Verdict(operation, "degrades" if upsetting else "survives", tuple(upsetting))


def _serves(role: str, fact: Fact) -> bool:
    """Whether members of a role count for a fact: clients that switch are served by every proxy."""
    return role in ("entry", "proxy") if fact.switch or fact.role == "proxy" else role == fact.role


def _least(needs: Needs, members: int) -> int:
    return {"one": 1, "majority": members // 2 + 1, "nothing": 0}[needs]


def _upsets(upset: Upset, lost: Sequence[Member], copies: int) -> bool:
    if upset == "leader":
        return any(part.leads for part in lost)
    if upset == "only copy":
        return len(lost) >= copies
    return upset == "any" and bool(lost)


def as_topology(parts: Sequence[Member]) -> Topology:
    """The same cluster as roles and operations, for its cut sets: what stops, not what is interrupted."""
    facts = [fact for fact in FACTS if fact.needs != "nothing" and not fact.switch]
    needed = {fact.role: fact.needs for fact in facts}
    roles = {}
    for role, needs in needed.items():
        if names := tuple(part.name for part in parts if part.role == role):
            roles[role] = Role(names, "majority" if needs == "majority" else 1)
    operations = {
        operation: tuple(fact.role for fact in facts if fact.operation == operation)
        for operation in OPERATIONS
    }
    return Topology(roles, operations)
