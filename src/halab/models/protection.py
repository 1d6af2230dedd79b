"""Which protection answers which disaster: one table of facts. Times are seconds.

Availability is kept by copies that follow the original at once; safety by copies that do not follow. So no
protection answers every disaster, and what answers a wrong command quickly shares the fate of its storage.

Sources of the reasons: Milvus' documentation on in-memory replicas, on data processing (delete and drop are
entries of the log), on Milvus CDC, on Milvus Backup, and on snapshots (3.0; by the release notes of 3.0.0
they need Storage V3, which is off by default; the page on Storage V3 does not say so). Verdicts are
judgements from these facts, and the times are assumptions: `Times` holds them, to be replaced by one's own
from a drill.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from halab.models.recovery import HOUR, Periodic
from halab.translation import gettext, gettext_noop

__all__ = [
    "CELLS", "DISASTERS", "PROTECTIONS", "Answer", "Cell", "Helps", "Times", "best", "recovery",
]  # fmt: skip

Helps = Literal["yes", "if", "no"]

DISASTERS = (
    "node loss", "two nodes", "rack", "wrong delete", "dropped collection", "bad release", "ransomware",
    "site loss",
)  # fmt: skip
PROTECTIONS = ("replicas", "standby", "snapshots", "backup", "off-site backup")
"""replicas: three, on three nodes; standby: a second site that Milvus CDC keeps up to date; snapshots: on the
cluster's own storage; backup: on other storage at the same site; off-site backup: elsewhere, other keys."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What one protection does in one disaster: helps, helps if something is so, or does not; and why."""

    disaster: str
    protection: str
    helps: Helps
    why: str


_NO_NEED = gettext_noop("It brings rows back, not machines: others than the lost ones must be there.")
_FOLLOWS = gettext_noop("The command is an entry in the log, and every copy carries it out.")
_FORWARDS = gettext_noop("CDC forwards the log, and the command is in it.")
_HOLDS = gettext_noop("It holds the rows as they were, and no command of the cluster changes it.")
_REACHED = gettext_noop(
    "Whoever holds the cluster's keys may reach it: only if it cannot be written to with them."
)

_TABLE: dict[str, dict[str, tuple[Helps, str]]] = {
    "replicas": {
        "node loss": ("yes", gettext_noop("Another copy answers, and the log kept what was written.")),
        "two nodes": ("if", gettext_noop("One copy of three is left: only if etcd keeps its majority.")),
        "rack": ("if", gettext_noop("Only if copies, etcd members and the log stand in several racks.")),
        "wrong delete": ("no", _FOLLOWS),
        "dropped collection": ("no", _FOLLOWS),
        "bad release": ("no", gettext_noop("All copies run the same release, and hold what it wrote.")),
        "ransomware": ("no", gettext_noop("All copies are read from the same storage.")),
        "site loss": ("no", gettext_noop("All copies stood there.")),
    },
    "standby": {
        "node loss": ("yes", gettext_noop("The other site has nodes of its own.")),
        "two nodes": ("yes", gettext_noop("The other site has nodes of its own.")),
        "rack": ("yes", gettext_noop("The other site has racks of its own.")),
        "wrong delete": ("no", _FORWARDS),
        "dropped collection": ("no", _FORWARDS),
        "bad release": (
            "if",
            gettext_noop("Only if it still runs the old one, and the new one wrote nothing wrong."),
        ),
        "ransomware": (
            "if",
            gettext_noop("Only if it has other keys, and nothing was destroyed through Milvus itself."),
        ),
        "site loss": ("yes", gettext_noop("It stands elsewhere, and is promoted.")),
    },
    "snapshots": {
        "node loss": ("no", _NO_NEED),
        "two nodes": ("no", _NO_NEED),
        "rack": ("no", _NO_NEED),
        "wrong delete": (
            "if",
            gettext_noop("With Milvus 3.0 and Storage V3: it becomes a new collection in the cluster."),
        ),
        "dropped collection": (
            "if",
            gettext_noop("Only if it outlives its collection: test that on your version first."),
        ),
        "bad release": ("if", gettext_noop("Only if the release left metadata and storage intact.")),
        "ransomware": ("no", gettext_noop("It lies on the storage that is encrypted.")),
        "site loss": ("no", gettext_noop("It lies on the storage that is lost.")),
    },
    "backup": {
        "node loss": ("if", _NO_NEED),
        "two nodes": ("if", _NO_NEED),
        "rack": ("if", gettext_noop("Only if it does not lie in that rack.")),
        "wrong delete": ("yes", _HOLDS),
        "dropped collection": ("yes", _HOLDS),
        "bad release": ("yes", gettext_noop("It is restored into a cluster of the old release.")),
        "ransomware": ("if", _REACHED),
        "site loss": ("no", gettext_noop("It lies at the site that is lost.")),
    },
    "off-site backup": {
        "node loss": ("if", _NO_NEED),
        "two nodes": ("if", _NO_NEED),
        "rack": ("if", _NO_NEED),
        "wrong delete": ("yes", _HOLDS),
        "dropped collection": ("yes", _HOLDS),
        "bad release": ("yes", gettext_noop("It is restored into a cluster of the old release.")),
        "ransomware": ("yes", gettext_noop("It lies elsewhere, under keys that the cluster does not have.")),
        "site loss": ("yes", gettext_noop("It lies elsewhere: a new cluster is made and filled from it.")),
    },
}  # fmt: skip

CELLS: tuple[Cell, ...] = tuple(
    Cell(disaster, protection, *_TABLE[protection][disaster])
    for disaster in DISASTERS
    for protection in PROTECTIONS
)


_HOURLY, _DAILY = Periodic(HOUR), Periodic(24 * HOUR, takes=HOUR)


@dataclass(frozen=True, slots=True)
class Times:
    """What recovery takes and what is lost, all assumptions. Failover and restore are card 7's worst,
    the standby is its hour; a snapshot restores "in seconds to minutes" (Milvus 3.0's documentation)."""

    failover: float = 15.0
    promote: float = HOUR
    snapshot: float = 300.0
    restore: float = 4 * HOUR
    fetch: float = 4 * HOUR
    delay: float = 60.0
    snapshots: Periodic = _HOURLY
    backups: Periodic = _DAILY


@dataclass(frozen=True, slots=True)
class Answer:
    """The best there is against one disaster: what, on which condition, and the worst RTO and RPO, seconds.

    `protection` is empty if nothing helps; then the rest says nothing.
    """

    disaster: str
    protection: str
    helps: Helps
    rto: float
    rpo: float


def recovery(protection: str, times: Times) -> tuple[float, float]:
    """The worst RTO and RPO of a protection where it helps. Raises ValueError for one there is not."""
    recoveries = {
        "replicas": (times.failover, 0.0),
        "standby": (times.promote, times.delay),
        "snapshots": (times.snapshot, times.snapshots.loss().most),
        "backup": (times.restore, times.backups.loss().most),
        "off-site backup": (times.fetch + times.restore, times.backups.loss().most),
    }
    if protection not in recoveries:
        raise ValueError(
            gettext("there is no protection {protection!r}; there are {protections}").format(
                protection=protection, protections=", ".join(PROTECTIONS)
            )
        )
    return recoveries[protection]


def best(protections: Collection[str], times: Times | None = None) -> tuple[Answer, ...]:
    """For each disaster the best of some protections: one that helps for certain, then the quickest.

    Raises ValueError for a protection there is not.
    """
    times = times or Times()
    costs = {protection: recovery(protection, times) for protection in protections}
    answers = []
    for disaster in DISASTERS:
        helping = [
            (cell.helps == "if", *costs[cell.protection], cell.protection)
            for cell in CELLS
            if cell.disaster == disaster and cell.protection in costs and cell.helps != "no"
        ]
        if not helping:
            answers.append(Answer(disaster, "", "no", 0.0, 0.0))
            continue
        condition, rto, rpo, name = min(helping)
        answers.append(Answer(disaster, name, "if" if condition else "yes", rto, rpo))
    return tuple(answers)
