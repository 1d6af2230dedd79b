"""Exercise 8: collections, backups of them (sound, damaged or stale), and a calendar. Times are seconds.

A backup here is plain data, so that it can be judged without a disk or a cluster:

    {"version": 1, "begun": 0.0, "ended": 5.0,
     "files":    {"cards": "<one JSON object a line>"},
     "manifest": {"cards": {"rows": 12, "sha256": "..."}}}
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable

from halab.exercises.learner_numbers import per_learner
from halab.exercises.safety.given import BackupSet, Data, Tables, Variant
from halab.models.protection import CELLS, PROTECTIONS
from halab.models.retention import PERIODS

__all__ = [
    "DAMAGES",
    "damage",
    "make_backup",
    "make_backup_set",
    "make_backup_times",
    "make_cells",
    "make_choices",
    "make_tables",
    "variant",
]

DAY = PERIODS["daily"]


def make_tables(rng: random.Random) -> Tables:
    """Three collections, one of them empty, with words that are not all ASCII."""
    names = rng.sample(("cards", "orders", "users", "pages", "faces"), 3)
    tables: Tables = {
        name: [
            {"id": key, "title": rng.choice(("卡片", "note", "Überblick")), "score": round(rng.random(), 3)}
            for key in rng.sample(range(10_000), rng.randrange(5, 30))
        ]
        for name in names
    }
    tables[names[2]] = []
    return tables


def make_backup(tables: Tables, begun: float, ended: float) -> Data:
    """A sound backup."""
    files = {name: "".join(json.dumps(row) + "\n" for row in rows) for name, rows in tables.items()}
    return {
        "version": 1,
        "begun": begun,
        "ended": ended,
        "files": files,
        "manifest": {
            name: {"rows": len(rows), "sha256": hashlib.sha256(files[name].encode()).hexdigest()}
            for name, rows in tables.items()
        },
    }


def _copy(backup: Data) -> Data:
    copied: Data = json.loads(json.dumps(backup))
    return copied


def _flipped(backup: Data, name: str, rng: random.Random) -> None:
    """One character of another row's figure: as long as before, and still JSON."""
    text = backup["files"][name]
    at = rng.choice([index for index, character in enumerate(text) if character.isdigit()])
    backup["files"][name] = text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1 :]


def _cut(backup: Data, name: str, rng: random.Random) -> None:
    backup["files"][name] = backup["files"][name][: -rng.randrange(3, 20)]


def _lost(backup: Data, name: str, rng: random.Random) -> None:
    del backup["files"][name]


def _miscounted(backup: Data, name: str, rng: random.Random) -> None:
    backup["manifest"][name]["rows"] += rng.choice((-1, 1))


DAMAGES: dict[str, Callable[[Data, str, random.Random], None]] = {
    "flipped": _flipped,
    "cut": _cut,
    "lost": _lost,
    "miscounted": _miscounted,
}


def damage(backup: Data, how: str, name: str, rng: random.Random) -> Data:
    """A copy of the backup with one file damaged."""
    copied = _copy(backup)
    DAMAGES[how](copied, name, rng)
    return copied


def make_backup_set(rng: random.Random) -> BackupSet:
    """Eight backups: some damaged, one of a newer version, and after a mistake those that are stale."""
    begun = sorted(rng.sample(range(1, 40), 8))
    kinds = ["sound", *rng.sample(["flipped", "cut", "lost", "newer", "sound", "sound", "sound"], 7)]
    backups, sound = {}, []
    for number, (day, kind) in enumerate(zip(begun, kinds, strict=True)):
        tables = make_tables(rng)
        backup = make_backup(tables, day * DAY, day * DAY + 3600)
        full = next(name for name, rows in tables.items() if rows)
        name = f"backup-{rng.randrange(10**6):06d}-{number}"
        if kind == "sound":
            sound.append((backup["ended"], name))
        elif kind == "newer":
            backup["version"] = 2
        else:
            backup = damage(backup, kind, full, rng)
        backups[name] = backup
    names = rng.sample(sorted(backups), len(backups))
    moments = [begun[0] * DAY - 60, *(day * DAY + shift for day in begun for shift in (1800, 3600, 7200))]
    truth = [
        (float(at), max(((ended, name) for ended, name in sound if ended <= at), default=(0, None))[1])
        for at in moments
    ]
    return BackupSet({name: backups[name] for name in names}, truth)


def make_backup_times(rng: random.Random) -> list[float]:
    """Moments of backups over months, in no order: several a day, and days and weeks without any."""
    days = sorted(rng.sample(range(200), rng.randrange(60, 120)))
    days = [day for day in days if not 60 <= day < 60 + rng.randrange(8, 16)]
    moments = {
        float(day * 86_400 + rng.randrange(86_400)) for day in days for _ in range(rng.randrange(1, 4))
    }
    return rng.sample(sorted(moments), len(moments))


def make_cells(rng: random.Random) -> list[Data]:
    """The table of disasters against protections, in no order, with verdicts drawn anew for this learner."""
    rows: list[Data] = [
        {"disaster": cell.disaster, "protection": cell.protection, "helps": cell.helps} for cell in CELLS
    ]
    for row in rng.sample(rows, 8):
        row["helps"] = rng.choice(("yes", "if", "no"))
    rng.shuffle(rows)
    return rows


def make_choices(rng: random.Random) -> list[list[str]]:
    """Sets of protections to have: none, any one, any two, and so on up to all of them."""
    return [rng.sample(PROTECTIONS, size) for size in range(len(PROTECTIONS) + 1)]


@per_learner(card=8)
def variant(rng: random.Random) -> Variant:
    """The exercise of this learner (default: the one at work here), the same each time."""
    tables = make_tables(rng)
    return Variant(
        tables,
        make_backup(tables, 0.0, 5.0),
        make_backup_set(rng),
        make_backup_times(rng),
        rng.randrange(3, 8),
        rng.randrange(3, 6),
        make_cells(rng),
        rng.sample(PROTECTIONS, 3),
    )
