"""Exercise 12: folders, outages and indexes for its simulated clusters, and what goes wrong with them."""

from __future__ import annotations

import random

from halab.exercises.learner_numbers import per_learner
from halab.exercises.rag_service.given import (
    ADDRESSES,
    NEVER,
    STEP,
    Documents,
    Index,
    Intake,
    Outage,
    Passage,
    Reply,
    Shift,
    Switching,
    Variant,
)
from halab.translation import gettext_noop

__all__ = [
    "Intake",
    "Shift",
    "Switching",
    "make_documents",
    "make_index",
    "make_outage",
    "make_twins",
    "variant",
]


# -- an ingest ----------------------------------------------------------------------------------------------

_HEADINGS = ("Failover", "Backup", "Replicas", "Probes", "Drill")
_TEXTS = ("See the handbook.", "Ask the person on call.", "Seconds, not minutes.", "Not decided yet.")


def make_documents(rng: random.Random, lossy: bool = False) -> Documents:
    """A folder in which headings and texts come more than once. In a lossy one the log loses a batch too."""
    every = [
        {"source": f"{place}/{name}.md", "heading": heading, "text": text}
        for place in ("notes", "team")
        for name in ("monday", "friday")
        for heading in _HEADINGS
        for text in _TEXTS
    ]
    passages = rng.sample(every, rng.randrange(14, 23))
    most = rng.randrange(2, 5)
    # A program that is started again writes what was lost again: so a lossy folder's is not killed.
    kinds = ["unwritten", "written"] if lossy else ["unwritten", "written", "killed", "killed after"]
    numbers = rng.sample(range(1, 15), len(kinds))
    troubles = dict(zip(numbers, rng.sample(kinds, len(kinds)), strict=True))
    first, third = rng.randrange(1, 3), rng.randrange(3, 5)
    return Documents(tuple(passages), most, troubles, (first, third), (3 - first, 7 - third) if lossy else ())


def make_twins(rng: random.Random) -> tuple[Passage, Passage]:
    """Two passages that are the same once their parts are put together without a mark between them."""
    heading, text, cut = rng.choice(_HEADINGS), rng.choice(_TEXTS), rng.randrange(2, 5)
    source = f"notes/{rng.randrange(1000)}"
    return (
        {"source": source, "heading": heading, "text": text},
        {"source": source + heading[:cut], "heading": heading[cut:], "text": text},
    )


# -- a service under faults ---------------------------------------------------------------------------------


_FAULTS: dict[str, dict[str, str]] = {
    gettext_noop("proxy-1 refuses"): {"proxy-1": "refused"},
    gettext_noop("proxy-1 hangs"): {"proxy-1": "silent"},
    gettext_noop("proxy-1 finds nothing"): {"proxy-1": "empty"},
    gettext_noop("the cluster refuses"): {"proxy-1": "refused", "proxy-2": "refused"},
    gettext_noop("the cluster hangs"): {"proxy-1": "silent", "proxy-2": "silent"},
    gettext_noop("the cluster finds nothing"): {"proxy-1": "empty", "proxy-2": "empty"},
    gettext_noop("everything refuses"): dict.fromkeys(ADDRESSES, "refused"),
}


def make_outage(rng: random.Random) -> Outage:
    """Three faults one after the other: a proxy's, the cluster's, and everything's; quiet times between."""
    names = [*_FAULTS]
    drawn = [rng.choice(names[:3]), rng.choice(names[3:6]), names[6]]
    lengths = [rng.randrange(15, 25), rng.randrange(20, 30), rng.randrange(5, 9)]
    replies: list[dict[str, Reply]] = []
    faults = {}
    for name, length in zip(drawn, lengths, strict=True):
        replies += [_replies(rng, {}) for _ in range(rng.randrange(18, 26))]
        faults[name] = (len(replies) + 1, len(replies) + length)
        replies += [_replies(rng, _FAULTS[name]) for _ in range(length)]
    replies += [_replies(rng, {}) for _ in range(20)]
    remembered = tuple(rng.random() < 0.7 for _ in replies)
    return Outage(tuple(replies), remembered, faults, rng.choice((0.12, 0.14, 0.16)))


def _replies(rng: random.Random, broken: dict[str, str]) -> dict[str, Reply]:
    replies = {}
    for name in ADDRESSES:
        status = broken.get(name, "answered")
        after = rng.randrange(20, 90)
        if status == "silent" or (status == "answered" and name == "proxy-1" and rng.random() < 0.04):
            after = NEVER  # also on a good day one request in twenty-five gets lost
        replies[name] = (status, 5 if status == "refused" else after)
    return replies


# -- a second index -----------------------------------------------------------------------------------------


_TROUBLES = ("lossy", "vectors", "stuck", "blind", "bad")


def make_index(rng: random.Random, trouble: str = "") -> Index:
    """An index of its own size and pace. `trouble` "any" draws one of those that show before the switch."""
    known = rng.randrange(15, 31)
    return Index(
        passages=rng.randrange(80, 400),
        known=known,
        least=known - rng.randrange(1, 4),
        patience=rng.randrange(5, 9) * STEP,
        most_fills=rng.randrange(5, 7),
        watch=rng.randrange(40, 90),
        most_bad=rng.randrange(2, 5),
        loads=rng.randrange(2, 5),
        growth={rng.randrange(1, 4): rng.randrange(1, 9), rng.randrange(4, 7): rng.randrange(1, 9)},
        trouble=rng.choice(_TROUBLES[:-1]) if trouble == "any" else trouble,
    )


@per_learner(card=12)
def variant(rng: random.Random) -> Variant:
    """The exercise of this learner (default: the one at work here), the same each time."""
    return Variant(
        make_documents(rng),
        make_documents(rng, lossy=True),
        make_outage(rng),
        [make_index(rng), make_index(rng, "bad"), make_index(rng, "any")],
    )
