"""What exercise 7 expects of a learner's work, one function a graded cell.

Each raises CheckFailed with the behaviour that was expected. The visible tests call them with the
learner's own numbers, the hidden ones with others.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from halab.exercises.expectations import call_many, example, expect, expect_refused
from halab.exercises.learner_numbers import draw
from halab.exercises.rto_rpo.given import Backups, Data, Incident, Market, Promise
from halab.exercises.rto_rpo.variant import STAGES
from halab.models.recovery import longest_interval
from halab.translation import gettext

__all__ = [
    "check_cheapest",
    "check_counts",
    "check_interval",
    "check_limits",
    "check_newest",
    "check_refused",
    "check_rto",
    "check_stages",
    "check_survives",
    "check_table",
    "check_window",
    "draw",
    "verdicts",
]

Function = Callable[..., Any]

# Small cases that a failed check tells.
_ONE_LOST = {
    "disaster_at": 5.0,
    "inserts": [{"key": 1, "sent": 3.9, "done": 4.0, "outcome": "ok"}],
    "found": [],
    "events": [],
}
_TWICE_BACK = [
    {"at": 10.0, "what": "disaster"},
    {"at": 20.0, "what": "alarm"},
    {"at": 50.0, "what": "decision"},
    {"at": 110.0, "what": "restored"},
    {"at": 120.0, "what": "serving"},
    {"at": 140.0, "what": "serving"},
]
_COPY = {"name": "copy", "cost": 5.0, "recoveries": {"disk": (60.0, 0.0)}}
_SHOP = {"name": "shop", "rto": 60.0, "rpo": 0.0, "disasters": ["disk"]}

_ROUNDING = 1e-3  # seconds: the times of an incident are rounded to a millisecond


@example(_ONE_LOST, gives=(1, 0))
def check_counts(counts: Function, incident: Incident) -> None:
    """Acknowledged rows that are gone, and unknown ones that landed."""
    answer = counts(incident.data)
    expect(
        isinstance(answer, Sequence) and not isinstance(answer, str) and len(answer) == 2,
        gettext("The counts are two numbers: lost, landed."),
        "07.1.counts",
    )
    expect(
        answer[0] == incident.lost,
        gettext(
            "A row is lost if its insert was acknowledged and it is not there afterwards. What "
            "was refused, or got no answer, was never promised."
        ),
        "07.1.counts",
    )
    expect(
        answer[1] == incident.landed,
        gettext("An insert without an answer that is there all the same has landed."),
        "07.1.landed",
    )


@example(_ONE_LOST, gives=1.0)
def check_window(loss_window: Function, incident: Incident) -> None:
    """How far back from the disaster acknowledged rows are gone."""
    expect(
        _near(loss_window(incident.data), incident.window),
        gettext(
            "The loss reaches back from the disaster to the first acknowledgement (`done`) of a "
            "lost row; it is 0 if none was."
        ),
        "07.1.window",
    )


@example(_TWICE_BACK, gives=130.0)
def check_rto(rto: Function, incident: Incident) -> None:
    """From the disaster until service is back for good."""
    events = incident.data["events"]
    answer = rto(events)
    disaster = incident.data["disaster_at"]
    early = next(event["at"] for event in events if event["what"] == "serving" and event["at"] > disaster)
    expect(
        not _near(answer, early - disaster),
        gettext(
            "Service that breaks down again was not back: the recovery goes on until it serves "
            "and goes on serving."
        ),
        "07.1.again",
    )
    expect(
        _near(answer, incident.rto),
        gettext(
            "The recovery time runs from the disaster itself until service is back for good, in seconds."
        ),
        "07.1.rto",
    )


@example(_TWICE_BACK, gives={"noticed": 10.0, "decided": 30.0, "restored": 60.0, "serving": 30.0})
def check_stages(stages: Function, incident: Incident) -> None:
    """Where the recovery time went."""
    answer = stages(incident.data["events"])
    expect(
        isinstance(answer, Mapping) and set(answer) == set(STAGES),
        gettext("The stages are a dict with the keys {stages}.").format(stages=", ".join(STAGES)),
        "07.1.stages",
    )
    for name, seconds in incident.stages.items():
        expect(
            _near(answer[name], seconds),
            gettext(
                'The stage "{name}" runs from the end of the stage before it to its own first event '
                "after the disaster, and the last stage until service is back for good: together "
                "they are the recovery time."
            ).format(name=name),
            "07.1.stages",
        )


@example(3600.0, 600.0, 1, gives=1500.0, of="longest_interval")
def check_interval(interval: Function, promises: Sequence[Promise]) -> None:
    """The longest interval that keeps an RPO."""
    answers = call_many(interval, ((promise.rpo, promise.takes, promise.failed) for promise in promises))
    for promise, value in zip(promises, answers, strict=True):
        expect(
            _number(value) and value > 0,
            gettext("The interval is a positive number of seconds wherever the promise can be kept."),
            "07.2.interval",
        )
        worst = promise.takes + (promise.failed + 1) * value
        expect(
            worst <= promise.rpo + _ROUNDING,
            gettext(
                "The promise holds at the worst moment too: just before a backup is ready, and with "
                "as many unusable ones before it as `failed` says."
            ),
            "07.2.interval",
        )
        expect(
            value >= longest_interval(promise.rpo, promise.takes, promise.failed) - _ROUNDING,
            gettext(
                "No longer interval keeps the promise: backups more often than needed cost money for nothing."
            ),
            "07.2.often",
        )


def check_refused(interval: Function) -> None:
    """What no interval can keep is refused, and what one can is not."""
    expect_refused(
        interval,
        [(3600.0, 3600.0, 0), (3600.0, 7200.0, 1), (0.0, 0.0, 0), (3600.0, 60.0, -1)],
        (3600.0, 60.0, 0),
        gettext(
            "A promise that no interval can keep is refused with a ValueError, and so are an RPO "
            "of 0 and fewer than 0 failed backups."
        ),
        "07.2.refused",
    )


@example([{"begun": 0.0, "ready": 60.0, "ok": True}], 100.0, gives=100.0)
def check_newest(lost: Function, backups: Backups) -> None:
    """What a disaster at a given moment loses."""
    answers = call_many(lost, ((backups.catalogue, moment) for moment, _ in backups.truth))
    usable = [backup for backup in backups.catalogue if backup["ok"]]
    for (moment, want), value in zip(backups.truth, answers, strict=True):
        early = [moment - backup["begun"] for backup in usable if backup["begun"] <= moment < backup["ready"]]
        expect(
            not (_number(value) and any(_near(value, seconds) for seconds in early)),
            gettext("A backup that was still under way in the disaster brings nothing back."),
            "07.2.ready",
        )
        expect(
            want is not None or value is None,
            gettext("Where no backup can be used the answer is None, and not a number."),
            "07.2.none",
        )
        expect(
            want is None or _near(value, want),
            gettext(
                "A backup holds what was there when it was begun. Of those that were ready and "
                "sound, the one begun last says how many seconds are lost."
            ),
            "07.2.newest",
        )


@example([_COPY], _SHOP, gives="copy")
def check_limits(choose: Function, market: Market) -> None:
    """Both limits are kept, and reaching one exactly is keeping it."""
    for service, name, strategy in _choices(choose, market, "07.3.limits"):
        if strategy is None:
            expect(
                not _fitting(service, market),
                gettext(
                    'For the service "{name}" there is a strategy that fits: a figure equal to its limit '
                    "keeps it."
                ).format(name=service["name"]),
                "07.3.limits",
            )
            continue
        known = [
            strategy["recoveries"][disaster]
            for disaster in service["disasters"]
            if disaster in strategy["recoveries"]
        ]
        expect(
            all(rto <= service["rto"] and rpo <= service["rpo"] for rto, rpo in known),
            gettext(
                '"{name}" takes too long or loses too much for the service "{service}" in one of its '
                "disasters."
            ).format(name=name, service=service["name"]),
            "07.3.limits",
        )


@example([_COPY], _SHOP | {"disasters": ["region"]}, gives=None)
def check_survives(choose: Function, market: Market) -> None:
    """Every disaster of the service has a recovery."""
    choices = _choices(choose, market, "07.3.survives")
    expect(
        any(strategy is not None for _, _, strategy in choices),
        gettext("Where a strategy fits a service, its name is the answer, and not None."),
        "07.3.survives",
    )
    for service, name, strategy in choices:
        expect(
            strategy is None or set(service["disasters"]) <= set(strategy["recoveries"]),
            gettext('"{name}" does not survive every disaster that the service "{service}" names.').format(
                name=name, service=service["name"]
            ),
            "07.3.survives",
        )


@example([_COPY, _COPY | {"name": "disk", "cost": 1.0}], _SHOP, gives="disk")
def check_cheapest(choose: Function, market: Market) -> None:
    """The cheapest of those that fit; None where none does."""
    for service, name, _ in _choices(choose, market, "07.3.cheapest"):
        fitting = _fitting(service, market)
        best = min(fitting, key=lambda strategy: strategy["cost"])["name"] if fitting else None
        expect(
            name == best,
            gettext(
                'The service "{name}" gets the cheapest strategy that fits, or None if none does.'
            ).format(name=service["name"]),
            "07.3.cheapest",
        )


@example([_SHOP], [{"service": "shop", "rto": 30.0, "rpo": None}], gives={"shop": "unproven"})
def check_table(table: Function, market: Market) -> None:
    """What the drills prove of the targets."""
    answer = table(market.services, market.drills)
    want = verdicts(market)
    expect(
        isinstance(answer, Mapping) and set(answer) == set(want),
        gettext("The table is a dict with a verdict for every service, drilled or not."),
        "07.3.unproven",
    )
    for name, verdict in want.items():
        expect(
            verdict != "missed" or answer[name] == "missed",
            gettext(
                '"{name}" broke a limit in one of its drills: one good drill does not make up for a bad one.'
            ).format(name=name),
            "07.3.table",
        )
        expect(
            verdict != "unproven" or answer[name] == "unproven",
            gettext(
                'Of "{name}" the drills prove nothing: there was none, or its rows were not counted. '
                'That is not "met".'
            ).format(name=name),
            "07.3.unproven",
        )
        expect(
            answer[name] == verdict,
            gettext(
                '"{name}" kept both of its limits in every drill, and reaching a limit exactly is keeping it.'
            ).format(name=name),
            "07.3.table",
        )


def verdicts(market: Market) -> dict[str, str]:
    """The table of task 3: "met", "missed" or "unproven" for each service."""
    return {service["name"]: _verdict(service, market.drills) for service in market.services}


def _verdict(service: Data, drills: Sequence[Data]) -> str:
    mine = [drill for drill in drills if drill["service"] == service["name"]]
    if any(drill["rto"] > service["rto"] or (drill["rpo"] or 0) > service["rpo"] for drill in mine):
        return "missed"
    return "met" if mine and all(drill["rpo"] is not None for drill in mine) else "unproven"


def _fitting(service: Data, market: Market) -> list[Data]:
    return [
        strategy
        for strategy in market.strategies
        if all(
            disaster in strategy["recoveries"]
            and strategy["recoveries"][disaster][0] <= service["rto"]
            and strategy["recoveries"][disaster][1] <= service["rpo"]
            for disaster in service["disasters"]
        )
    ]


def _choices(choose: Function, market: Market, hint: str) -> list[tuple[Data, str | None, Data | None]]:
    """Each service with the name that was chosen for it and the strategy of that name."""
    offered = {strategy["name"]: strategy for strategy in market.strategies}
    answers = call_many(choose, ((market.strategies, service) for service in market.services))
    for name in answers:
        expect(
            name is None or (isinstance(name, str) and name in offered),
            gettext("The answer is the name of one of the strategies, or None."),
            hint,
        )
    return [
        (service, name, offered[name] if name else None)
        for service, name in zip(market.services, answers, strict=True)
    ]


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _near(value: Any, want: float) -> bool:
    return _number(value) and math.isclose(value, want, abs_tol=2 * _ROUNDING)
