"""Answers to exercise 8 as learners give them: what each earns, and which hint it gets."""

from halab.exercises.safety.variant import variant
from support.answers import Answers, Wrong

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


class TestAnswers(Answers):
    NAME = "08-safety"
    WRONG = WRONG
    variant = variant
    NEIGHBOUR_FAILS = ("08-3-keep",)

    @staticmethod
    def neighbour():
        kept = sorted(variant("bo").backup_times)[-3:]
        return {"08-3-keep-answer": f"def keep(moments, daily, weekly):\n    return {kept}"}
