"""What exercise 8 expects of a learner's work, one function a graded cell.

Each raises CheckFailed with the behaviour that was expected. The visible tests call them with the
learner's own numbers, the hidden ones with others.
"""

from __future__ import annotations

import copy
import hashlib
import json
import random
from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any

from halab.exercises.expectations import call_many, example, expect
from halab.exercises.learner_numbers import draw
from halab.exercises.safety.given import BackupSet, Data, Tables
from halab.exercises.safety.variant import DAMAGES, damage, make_backup
from halab.models.protection import DISASTERS
from halab.models.retention import Retention, keep
from halab.translation import gettext

__all__ = [
    "check_choose",
    "check_keep",
    "check_make",
    "check_newer",
    "check_restore",
    "check_table",
    "check_untouched",
    "check_verify",
    "draw",
]

Function = Callable[..., Any]


def check_make(make: Function, tables: Tables) -> None:
    """A backup holds every row of every collection, and a manifest that fits it."""
    backup = make(copy.deepcopy(tables), 10.0, 20.0)
    expect(
        isinstance(backup, Mapping)
        and set(backup) >= {"version", "begun", "ended", "files", "manifest"}
        and (backup["version"], backup["begun"], backup["ended"]) == (1, 10.0, 20.0),
        gettext("A backup is a dict with version 1, the two moments, the files and the manifest."),
        "08.1.make",
    )
    files, manifest = backup["files"], backup["manifest"]
    expect(
        isinstance(files, Mapping)
        and isinstance(manifest, Mapping)
        and set(files) == set(manifest) == set(tables),
        gettext("Every collection has a file and a line in the manifest, an empty collection too."),
        "08.1.make",
    )
    for name, rows in tables.items():
        expect(
            isinstance(files[name], str) and _rows(files[name]) == rows,
            gettext("A file holds its collection's rows in their order, one JSON object a line."),
            "08.1.make",
        )
        wanted = {"rows": len(rows), "sha256": hashlib.sha256(files[name].encode()).hexdigest()}
        expect(
            manifest[name] == wanted,
            gettext(
                "The manifest says of each file how many rows it has, and the SHA-256 of its text in "
                "UTF-8, in hexadecimal."
            ),
            "08.1.manifest",
        )


def check_verify(verify: Function, tables: Tables, seed: int) -> None:
    """Every damage is found, in whichever file; what is sound is not suspected."""
    rng = random.Random(seed)
    sound = make_backup(tables, 0.0, 5.0)
    full = [name for name, rows in tables.items() if rows]
    cases: list[tuple[Data, list[str], str]] = [(sound, [], "08.1.sound")]
    for how in DAMAGES:
        cases += [(damage(sound, how, name, rng), [name], f"08.1.{how}") for name in full]
    both = damage(damage(sound, "flipped", full[0], rng), "lost", full[1], rng)
    cases.append((both, sorted(full[:2]), "08.1.all"))
    behaviours = {
        "08.1.sound": gettext(
            "A sound backup has no damaged collections, and an empty collection is no damage."
        ),
        "08.1.flipped": gettext(
            "A file of the right length and row count is damaged if one digit was changed."
        ),
        "08.1.cut": gettext("A file that was cut off is damaged, even if its last line is no JSON any more."),
        "08.1.lost": gettext("A file that the manifest names and that is missing counts as damaged."),
        "08.1.miscounted": gettext("A file with more or fewer rows than the manifest says is damaged."),
        "08.1.all": gettext("All damaged files are named, in alphabetical order."),
    }
    answers = call_many(verify, ((copy.deepcopy(backup),) for backup, _, _ in cases))
    for (_, wanted, hint), value in zip(cases, answers, strict=True):
        is_list = isinstance(value, (Sequence, Set)) and not isinstance(value, str)
        names = sorted(value, key=str) if isinstance(value, Set) else value
        expect(is_list and list(names) == wanted, behaviours[hint], hint)


def check_newer(verify: Function, tables: Tables) -> None:
    """A version that is not known is refused, and not guessed at; the known one is not."""
    verify(make_backup(tables, 0.0, 5.0))
    for version in (2, 3, 17):
        newer = make_backup(tables, 0.0, 5.0) | {"version": version}
        expect(
            _refused(verify, newer),
            gettext("A version other than 1 is refused with a ValueError: nobody here knows what is in it."),
            "08.1.newer",
        )


def check_choose(choose: Function, backup_set: BackupSet) -> None:
    """The newest backup that is sound and was finished before the mistake."""
    answers = call_many(choose, ((backup_set.backups, at) for at, _ in backup_set.truth))
    begun = {name: backup["begun"] for name, backup in backup_set.backups.items()}
    ended = {name: backup["ended"] for name, backup in backup_set.backups.items()}
    for (at, wanted), name in zip(backup_set.truth, answers, strict=True):
        expect(
            name is None or (isinstance(name, str) and name in begun),
            gettext("The answer is the name of one of the backups, or None."),
            "08.2.choose",
        )
        expect(
            name is None or ended[name] <= at,
            gettext("A backup that was not finished when the mistake was made may contain the mistake."),
            "08.2.stale",
        )
        expect(
            wanted is not None or name is None,
            gettext("If no backup is both sound and old enough, the answer is None."),
            "08.2.none",
        )
        expect(
            name == wanted,
            gettext("Of those that are sound, of version 1 and finished by then, the newest loses least."),
            "08.2.choose",
        )


def check_restore(restore: Function, tables: Tables) -> None:
    """Every row comes back under the name that was asked for, beside what is there."""
    backup = make_backup(tables, 0.0, 5.0)
    for name, rows in tables.items():
        restored = restore({"kept": [{"id": 1}]}, copy.deepcopy(backup), name, "rescued")
        expect(
            isinstance(restored, Mapping)
            and set(restored) == {"kept", "rescued"}
            and restored["kept"] == [{"id": 1}],
            gettext(
                "After a restore the database has what it had, and one collection more, under its new name."
            ),
            "08.2.restore",
        )
        expect(
            restored["rescued"] == rows,
            gettext("All rows come back, as they were and in their order."),
            "08.2.rows",
        )


def check_untouched(restore: Function, tables: Tables, seed: int) -> None:
    """What cannot be restored whole is not restored at all."""
    rng = random.Random(seed)
    backup = make_backup(tables, 0.0, 5.0)
    name = next(candidate for candidate, rows in tables.items() if rows)
    cases: list[tuple[Tables, Data, str, str]] = [
        ({"kept": []}, damage(backup, how, name, rng), "rescued", "08.2.damaged") for how in DAMAGES
    ]
    cases.append(({"rescued": [{"id": 7}]}, backup, "rescued", "08.2.exists"))
    behaviours = {
        "08.2.damaged": gettext("A collection whose file is damaged is not restored: a ValueError says so."),
        "08.2.exists": gettext("A name that is taken is not overwritten: a ValueError says so."),
    }
    for database, damaged, new, hint in cases:
        expect(_refused(restore, database, damaged, name, new), behaviours[hint], hint)
    expect(
        _refused(restore, {}, backup, gettext("no such collection"), "rescued"),
        gettext("A collection that the backup does not hold is refused with a ValueError."),
        "08.2.damaged",
    )
    restore({}, copy.deepcopy(backup), name, "rescued")  # one that always raises refuses nothing


@example([0.0, 3600.0, 90000.0], 2, 0, gives=[3600.0, 90000.0], of="keep")
def check_keep(keeping: Function, moments: Sequence[float], plans: Sequence[tuple[int, int]]) -> None:
    """The newest backup of each of the last days and weeks that have one."""
    answers = call_many(keeping, ((list(moments), daily, weekly) for daily, weekly in plans))
    for (daily, weekly), value in zip(plans, answers, strict=True):
        wanted = keep(moments, Retention(daily, weekly, 0))
        expect(
            isinstance(value, Sequence) and not isinstance(value, str) and set(value) <= set(moments),
            gettext("What is kept is a list of some of the moments."),
            "08.3.keep",
        )
        expect(
            len(value) >= len(wanted),
            gettext(
                "Each of the last days, and of the last weeks, that have a backup keeps its newest. "
                "One without any does not count."
            ),
            "08.3.gaps",
        )
        expect(
            list(value) == wanted,
            gettext("Of each such day and week only the newest stays, oldest first, and no other."),
            "08.3.keep",
        )


def check_table(table: Function, cells: Sequence[Data], choices: Sequence[Sequence[str]]) -> None:
    """The best verdict against each disaster among the protections one has."""
    answers = call_many(table, ((list(cells), list(have)) for have in choices))
    for have, value in zip(choices, answers, strict=True):
        expect(
            isinstance(value, Mapping) and set(value) == set(DISASTERS),
            gettext("The table has a verdict for every disaster, even if there is no protection at all."),
            "08.3.every",
        )
        for disaster in DISASTERS:
            mine = {
                cell["helps"] for cell in cells if cell["disaster"] == disaster and cell["protection"] in have
            }
            wanted = next((verdict for verdict in ("yes", "if") if verdict in mine), "no")
            expect(
                value[disaster] == wanted,
                gettext(
                    'The verdict on a disaster is the best one among the protections in `have`: "yes" '
                    'before "if" before "no". Other protections do not count.'
                ),
                "08.3.table",
            )


def _rows(text: str) -> list[Any] | None:
    try:
        return [json.loads(line) for line in text.splitlines()]
    except ValueError:
        return None


def _refused(function: Function, *arguments: Any) -> bool:
    try:
        function(*copy.deepcopy(arguments))
    except ValueError:
        return True
    return False
