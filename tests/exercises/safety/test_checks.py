import hashlib
import json
import random

import pytest

from halab.exercises.safety import checks
from halab.exercises.safety.variant import (
    make_backup,
    make_backup_set,
    make_backup_times,
    make_cells,
    make_tables,
)
from halab.models.protection import DISASTERS
from halab.models.retention import Retention, keep
from support.answers import hint_of

SEEDS = range(8)


def verify(backup):
    if backup["version"] != 1:
        raise ValueError("version")
    bad = []
    for name, told in backup["manifest"].items():
        text = backup["files"].get(name)
        sound = text is not None and hashlib.sha256(text.encode()).hexdigest() == told["sha256"]
        if not sound or len(text.splitlines()) != told["rows"]:
            bad.append(name)
    return sorted(bad)


def sound(backup):
    return backup["version"] == 1 and verify(backup) == []


def choose(backups, mistake):
    good = [(one["ended"], name) for name, one in backups.items() if one["ended"] <= mistake and sound(one)]
    return max(good)[1] if good else None


def restore(database, backup, name, new):
    if new in database or name not in backup["manifest"] or name in verify(backup):
        raise ValueError("refused")
    return {**database, new: [json.loads(line) for line in backup["files"][name].splitlines()]}


def keeping(moments, daily, weekly):
    return keep(moments, Retention(daily, weekly, 0))


def table(rows, have):
    order = ("no", "if", "yes")
    best = dict.fromkeys(DISASTERS, "no")
    for row in rows:
        if row["protection"] in have:
            best[row["disaster"]] = max(best[row["disaster"]], row["helps"], key=order.index)
    return best


@pytest.mark.parametrize("seed", SEEDS)
def test_right_answers_pass_every_check(seed):
    rng = random.Random(seed)
    tables = make_tables(rng)
    checks.check_make(make_backup, tables)
    checks.check_verify(verify, tables, seed)
    checks.check_newer(verify, tables)
    checks.check_choose(choose, make_backup_set(rng))
    checks.check_restore(restore, tables)
    checks.check_untouched(restore, tables, seed)
    checks.check_keep(keeping, make_backup_times(rng), [(3, 4), (1, 9)])
    checks.check_table(table, make_cells(rng), [["replicas", "backup"], []])


@pytest.mark.parametrize("seed", SEEDS)
def test_a_set_of_backups_has_moments_before_everything_and_backups_that_tempt(seed):
    one = make_backup_set(random.Random(seed))
    assert one.truth[0][1] is None
    assert len({name for _, name in one.truth if name}) >= 2
    assert any(backup["version"] == 2 for backup in one.backups.values()) or len(one.backups) == 8
    assert one.truth == [(at, choose(one.backups, at)) for at, _ in one.truth]


TABLES = make_tables(random.Random(5))
BACKUPS = make_backup_set(random.Random(2))


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda one: [], "08.1.flipped"),
        (lambda one: sorted(one["manifest"]), "08.1.sound"),
        (lambda one: [name for name in one["manifest"] if name not in one["files"]], "08.1.flipped"),
        (lambda one: verify(one)[:1], "08.1.all"),
    ],
)
def test_a_careless_verify_gets_its_hint(wrong, hint):
    assert hint_of(checks.check_verify, wrong, TABLES, 1) == hint


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda backups, at: max(backups, key=lambda name: backups[name]["ended"]), "08.2.stale"),
        (lambda backups, at: None, "08.2.choose"),
        (lambda backups, at: 7, "08.2.choose"),
    ],
)
def test_a_careless_choice_gets_its_hint(wrong, hint):
    assert hint_of(checks.check_choose, wrong, BACKUPS) == hint


def test_a_careless_restore_gets_its_hint():
    def anything(database, backup, name, new):
        rows = backup["files"].get(name, "").splitlines()
        return {**database, new: [json.loads(line) for line in rows if line.endswith("}")]}

    assert hint_of(checks.check_untouched, anything, TABLES, 1) == "08.2.damaged"
    assert hint_of(checks.check_restore, lambda database, *_: database, TABLES) == "08.2.restore"


def test_a_careless_schedule_and_table_get_their_hints():
    moments = make_backup_times(random.Random(3))
    assert hint_of(checks.check_keep, lambda *given: list(given[0]), moments, [(3, 3)]) == "08.3.keep"
    assert hint_of(checks.check_keep, lambda *given: [], moments, [(3, 3)]) == "08.3.gaps"
    rows = make_cells(random.Random(3))
    assert hint_of(checks.check_table, lambda *_: dict.fromkeys(DISASTERS, "yes"), rows, [[]]) == "08.3.table"
    assert hint_of(checks.check_table, lambda *_: {}, rows, [[]]) == "08.3.every"


def test_a_newer_version_is_not_guessed_at():
    assert hint_of(checks.check_newer, lambda one: [], TABLES) == "08.1.newer"
