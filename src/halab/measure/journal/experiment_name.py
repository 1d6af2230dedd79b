"""What a journal measured, in the words that predictions, titles and file names use."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence

from halab.measure.journal.journal_file import Journal
from halab.models.samples import OPERATIONS
from halab.translation import gettext, gettext_noop

__all__ = [
    "RETRIES",
    "ROLLING",
    "experiment_of",
    "faults_of",
    "file_words",
    "load_of",
    "operation_in_words",
    "probed",
    "run_in_words",
    "run_name",
]

RETRIES = " with retries"
"""How the name of an operation ends whose client tries again."""

ROLLING = "rolling restart"
"""The kind of the event that says that a run restarted every process; its detail is the plan's name."""

_USUAL_TTL = 10.0  # seconds
_LONGEST = 40  # letters of an experiment's name in a file's: tables and lists have to hold it


def experiment_of(journal: Journal) -> str:
    """The experiment in the words a prediction is kept under, such as "crash active rootcoord".

    What was set otherwise than usual belongs to it: "crash active rootcoord with TTL 5 s, with retries",
    "hang any query node, probed every 3 s, timeout 3 s, 2 in a row". A load is named by what was asked for
    and of how many copies: "insert with 1, 2, 3 replicas".
    """
    if journal.phases:
        return load_of(journal)
    faults = faults_of(journal)
    return run_name(faults, journal.header.ttl, journal.header.operations, _probed(journal) if faults else "")


def faults_of(journal: Journal) -> list[str]:
    """What was broken, in the words of the order; of a rolling restart its plan instead of every process."""
    plans = [event.detail for event in journal.events if event.kind == ROLLING]
    return plans or [f"{fault.kind} {fault.target}" for fault in journal.faults]


def run_name(faults: Sequence[str], ttl: float, operations: Sequence[str] = (), probed: str = "") -> str:
    """What `experiment_of` calls the run of these faults with this TTL (seconds) and these operations."""
    lease = "" if ttl == _USUAL_TTL else f" with TTL {ttl:g} s"
    retries = ", with retries" if any(name.endswith(RETRIES) for name in operations) else ""
    times = Counter(faults)  # one that came again and again is named once
    named = [fault if count == 1 else f"{fault} {count} times" for fault, count in times.items()]
    return f"{', '.join(named) or 'no fault'}{lease}{retries}{probed and f', {probed}'}"


def probed(period: float, timeout: float, failures: int) -> str:
    """The numbers of a liveness probe, as the name of a run tells them."""
    return f"probed every {period:g} s, timeout {timeout:g} s, {failures} in a row"


def _probed(journal: Journal) -> str:
    """The liveness probe that was to mend the fault; "" if none was."""
    for event in journal.events:
        if (event.by, event.kind) == ("kubelet", "probes"):
            numbers = (json.loads(event.detail)["liveness"] or {}).get("probe")
            # So many failures in a row are how an experiment says that nothing is to be restarted.
            if numbers and numbers["failures"] < 1000:
                return probed(numbers["period"], numbers["timeout"], numbers["failures"])
    return ""


def file_words(experiment: str) -> str:
    """An experiment's name as it stands in a file's name, such as "crash-active-rootcoord".

    A long one is cut after a whole word, and ends with four digits that tell it from others that begin so.
    """
    words = "-".join(experiment.lower().replace(",", "").split())
    if len(words) <= _LONGEST:
        return words
    begun = words[: _LONGEST - 4].rpartition("-")[0]
    return f"{begun}-{hashlib.sha256(words.encode()).hexdigest()[:4]}"


def load_of(journal: Journal) -> str:
    """What a load asked for, and of how many copies: "insert with 1, 2, 3 replicas".

    Where copies were not what differed, the parts are named: "search with roundrobin, leastconn".
    """
    counts = sorted({int(p.settings["replicas"]) for p in journal.phases if "replicas" in p.settings})
    if not counts:
        parts = ", ".join(dict.fromkeys(phase.name for phase in journal.phases))
        return f"{' and '.join(journal.header.operations)} with {parts}"
    replicas = ", ".join(map(str, counts)) + (" replica" if counts == [1] else " replicas")
    shares = {phase.settings["share"] for phase in journal.phases if "share" in phase.settings}
    slow = "".join(f", query nodes limited to {share:.0%} of the time" for share in sorted(shares))
    return f"{' and '.join(journal.header.operations)} with {replicas}{slow}"


_NUMBER = r"[\d.]+"
_SETTINGS = {
    r"^no fault": gettext_noop("no fault"),
    r"^rolling restart, one at a time": gettext_noop("rolling restart, one at a time"),
    r"^rolling restart, all roles at once": gettext_noop("rolling restart, all roles at once"),
    r"^rolling restart, query nodes drained": gettext_noop("rolling restart, query nodes drained"),
    r"^rolling restart, query nodes killed": gettext_noop("rolling restart, query nodes killed"),
    r"crash the canary's query node$": gettext_noop("crash the canary's query node"),
    r"fill the disk quota$": gettext_noop("fill the disk quota"),
    r"^page for (?P<fault>.+)": gettext_noop("page for {fault}"),
    rf" with TTL (?P<ttl>{_NUMBER}) s": gettext_noop(" with TTL {ttl} s"),
    r", with retries": gettext_noop(", with retries"),
    rf", probed every (?P<period>{_NUMBER}) s": gettext_noop(", probed every {period} s"),
    rf", timeout (?P<timeout>{_NUMBER}) s": gettext_noop(", timeout {timeout} s"),
    r", (?P<failures>\d+) in a row": gettext_noop(", {failures} in a row"),
    r" with (?P<counts>[\d, ]*\d) replicas": gettext_noop(" with {counts} replicas"),
    r" with 1 replica(?!s)": gettext_noop(" with 1 replica"),
    r", query nodes limited to (?P<share>\d+%) of the time": gettext_noop(
        ", query nodes limited to {share} of the time"
    ),
}
"""What a run's name says beyond its faults or operations, by the pattern it is found by."""


def run_in_words(name: str) -> str:
    """A run's name as it is shown: what was set, in the reader's language; a fault as one orders it."""
    for pattern, message in _SETTINGS.items():
        if setting := re.search(pattern, name):
            name = name.replace(setting[0], gettext(message).format(**setting.groupdict()))
    asked = re.match(rf"(?:(?:{'|'.join(OPERATIONS)})(?: and )?)+(?!\w)", name)
    if not asked:
        return name
    operations = gettext(" and ").join(map(operation_in_words, asked[0].split(" and ")))
    rest = name[asked.end() :]
    if rest.startswith(" with "):  # no settings, but parts by their names
        rest = gettext(" with {parts}").format(parts=rest.removeprefix(" with "))
    return operations + rest


def operation_in_words(name: str) -> str:
    """An operation's name as it is shown, in the reader's language."""
    if not name.endswith(RETRIES):
        return gettext(name)
    return gettext("{operation} with retries").format(operation=gettext(name.removesuffix(RETRIES)))
