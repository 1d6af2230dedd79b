"""Answers to exercise 8 as learners give them: what each earns, and which hint it gets."""

from typing import NamedTuple

import pytest

from halab.course.tasks.safety import variant

pytestmark = [pytest.mark.grading, pytest.mark.timeout(900)]  # the first test grades for all

NAME = "08-safety"
LEARNER = "ada"


class Wrong(NamedTuple):
    """An answer: the cells it replaces, and for each check it fails the hint it must get."""

    cells: dict[str, str]
    fails: dict[str, str]


MAKE = """
def make(tables, begun, ended):
    files = {{name: "".join(json.dumps(row) + "\\n" for row in rows) for name, rows in tables.items(){which}}}
    manifest = {{
        name: {{"rows": len(tables[name]), "sha256": hashlib.sha256({what}).hexdigest()}} for name in files
    }}
    return {{"version": 1, "begun": begun, "ended": ended, "files": files, "manifest": manifest}}
"""
VERIFY = """
def verify(backup):
    {first}
    bad = []
    for name, told in backup["manifest"].items():
        text = backup["files"].get(name{default})
        if {damaged}:
            bad.append(name)
    return sorted(bad)
"""
REFUSES = 'int("no" if backup["version"] != 1 else "1")  # a ValueError'
HASH = 'text is None or hashlib.sha256(text.encode()).hexdigest() != told["sha256"]'
COUNT = 'text is None or len(text.splitlines()) != told["rows"]'
RESTORE = """
def restore(database, backup, name, new):
    if {refuses}:
        raise ValueError("refused")
    return {{**database, {key}: [{row} for line in backup["files"][name].splitlines()]}}
"""
TAKEN = 'new in database or name not in backup["manifest"] or '
KEEP = """
def keep(moments, daily, weekly):
    kept = set()
    for seconds, count in ((86400, daily), (7 * 86400, weekly)):
        best = {{}}
        for moment in sorted(moments, reverse={reverse}):
            best[moment // seconds] = moment
        last = {last}
        kept.update(best[one] for one in last if one in best)
    return sorted(kept)
"""
LAST = "sorted(best)[-count:] if count else []"
CHOOSE = """
def choose(backups, mistake):
    good = [(one["ended"], name) for name, one in backups.items() if {which}]
    return {pick}(good)[1] if good else None
"""
SOUND = 'one["version"] == 1 and not verify(one)'
# Task 2 builds on task 1: what a careless verify costs there too is looked at with task 2 as it should be.
AS_SOLVED = {"08-2-choose-answer": CHOOSE.format(which=f'one["ended"] <= mistake and {SOUND}', pick="max")}

WRONG = {
    "leaves empty collections out": Wrong(
        {"08-1-make-answer": MAKE.format(which=" if rows", what="files[name].encode()")},
        {"08-1-make": "08.1.make"},
    ),
    "hashes the name and not the file": Wrong(
        {"08-1-make-answer": MAKE.format(which="", what="name.encode()")},
        {"08-1-make": "08.1.manifest"},
    ),
    "counts rows and trusts them": Wrong(
        {"08-1-verify-answer": VERIFY.format(first=REFUSES, default="", damaged=COUNT)} | AS_SOLVED,
        {"08-1-verify": "08.1.flipped", "08-2-choose": "08.2.choose", "08-2-untouched": "08.2.damaged"},
    ),
    "trusts the hash and counts nothing": Wrong(
        {"08-1-verify-answer": VERIFY.format(first=REFUSES, default="", damaged=HASH)} | AS_SOLVED,
        {"08-1-verify": "08.1.miscounted", "08-2-untouched": "08.2.damaged"},
    ),
    "guesses at a newer version": Wrong(
        {"08-1-verify-answer": VERIFY.format(first="pass", default="", damaged=f"{HASH} or {COUNT}")},
        {"08-1-newer": "08.1.newer"},
    ),
    "takes the newest backup, stale or not": Wrong(
        {"08-2-choose-answer": CHOOSE.format(which=SOUND, pick="max")},
        {"08-2-choose": "08.2.stale"},
    ),
    "takes a backup that was under way": Wrong(
        {"08-2-choose-answer": CHOOSE.format(which=f'one["begun"] <= mistake and {SOUND}', pick="max")},
        {"08-2-choose": "08.2.stale"},
    ),
    "takes the oldest": Wrong(
        {"08-2-choose-answer": CHOOSE.format(which=f'one["ended"] <= mistake and {SOUND}', pick="min")},
        {"08-2-choose": "08.2.choose"},
    ),
    "restores under the old name": Wrong(
        {
            "08-2-restore-answer": RESTORE.format(
                refuses=TAKEN + "name in verify(backup)", key="name", row="json.loads(line)"
            )
        },
        {"08-2-restore": "08.2.restore"},
    ),
    "restores text": Wrong(
        {
            "08-2-restore-answer": RESTORE.format(
                refuses=TAKEN + "name in verify(backup)", key="new", row="line"
            )
        },
        {"08-2-restore": "08.2.rows"},
    ),
    "overwrites what is there": Wrong(
        {
            "08-2-restore-answer": RESTORE.format(
                refuses='name not in backup["manifest"] or name in verify(backup)',
                key="new",
                row="json.loads(line)",
            )
        },
        {"08-2-untouched": "08.2.exists"},
    ),
    "keeps the first of each day": Wrong(
        {"08-3-keep-answer": KEEP.format(reverse=True, last=LAST)},
        {"08-3-keep": "08.3.keep"},
    ),
    "counts days without a backup": Wrong(
        {"08-3-keep-answer": KEEP.format(reverse=False, last="[max(best) - back for back in range(count)]")},
        {"08-3-keep": "08.3.gaps"},
    ),
    "takes what one has not": Wrong(
        {
            "08-3-table-answer": """
def table(cells, have):
    order = ("no", "if", "yes")
    found = {}
    for one in cells:
        found[one["disaster"]] = max(found.get(one["disaster"], "no"), one["helps"], key=order.index)
    return found
"""
        },
        {"08-3-table": "08.3.table"},
    ),
    "forgets what nothing answers": Wrong(
        {
            "08-3-table-answer": """
def table(cells, have):
    order = ("no", "if", "yes")
    found = {}
    for one in cells:
        if one["protection"] in have:
            found[one["disaster"]] = max(found.get(one["disaster"], "no"), one["helps"], key=order.index)
    return found
"""
        },
        {"08-3-table": "08.3.every"},
    ),
}


@pytest.fixture(scope="module")
def graded(grade_answers):
    """Every submission of this file. The numbers are ada's; bo has worked out his own as a constant."""
    kept = sorted(variant("bo").calendar)[-3:]
    constants = {"08-3-keep-answer": f"def keep(moments, daily, weekly):\n    return {kept}"}
    return grade_answers(
        NAME, LEARNER, {name: one.cells for name, one in WRONG.items()}, {"neighbour": constants}
    )


def test_the_solution_earns_everything(graded):
    assert [check for check in graded.reports["solution"].checks if not check.passed] == []
    assert (graded.reports["solution"].points, graded.reports["solution"].out_of) == (20, 20)


def test_the_exercise_as_handed_out_earns_nothing_and_says_so_kindly(graded):
    report = graded.reports["release"]
    assert report.points == 0
    assert report.notes == ()
    assert {check.behaviour for check in report.checks} == {"Nothing is written here yet."}


@pytest.mark.parametrize("name", WRONG)
def test_a_named_answer_loses_what_it_should_and_gets_its_hint(graded, name):
    checks = graded.checks(name)
    assert {check.name: check.hint for check in checks if not check.passed} == WRONG[name].fails
    assert sum(check.points for check in checks) == sum(
        check.out_of for check in checks if check.name not in WRONG[name].fails
    )


def test_a_neighbour_s_numbers_are_not_mine(graded):
    failed = {check.name for check in graded.reports["neighbour"].checks if not check.passed}
    assert failed == {"08-3-keep"}


def test_a_failed_check_tells_the_behaviour_and_never_the_test(graded):
    told = [
        check.behaviour for report in graded.reports.values() for check in report.checks if check.behaviour
    ]
    assert told
    assert not [text for text in told if "checks." in text or "HIDDEN" in text or "Traceback" in text]
