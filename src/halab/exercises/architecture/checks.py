"""What exercise 3 expects of an answer. Each check names a behaviour and the next hint, never the answer."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from halab.exercises.architecture.given import Sessions, Topology, Violation, Zones
from halab.exercises.architecture.variant import RULES, make_topology
from halab.exercises.expectations import call_many, example, expect, expect_refused, whole
from halab.exercises.learner_numbers import draw
from halab.models.quorum import majority, smallest, tolerates
from halab.translation import gettext

__all__ = [
    "check_active",
    "check_majority",
    "check_parts",
    "check_refused",
    "check_rules",
    "check_smallest",
    "check_sound",
    "check_standby",
    "check_tolerates",
    "check_zones",
    "draw",
]

Function = Callable[..., Any]


def check_active(standing: Function, cases: Sequence[Sessions]) -> None:
    """Who is active."""
    for case, answer in zip(cases, _call_standing(standing, cases, "03.1.active"), strict=True):
        for role, server in case.active.items():
            expect(
                server is not None or answer[role]["active"] is None,
                gettext("Where no member holds the role's own key, nobody is active: None."),
                "03.1.nobody",
            )
            expect(
                server is None or _is_number(answer[role]["active"], server),
                gettext(
                    "The active member is the one that holds the key with the bare name of the role; its "
                    "server id is a number."
                ),
                "03.1.active",
            )


def check_standby(standing: Function, cases: Sequence[Sessions]) -> None:
    """Who is a standby."""
    for case, answer in zip(cases, _call_standing(standing, cases, "03.1.standby"), strict=True):
        for role, servers in case.standby.items():
            given = answer[role]["standby"]
            expect(_is_list(given), gettext("The standbys are a list of server ids."), "03.1.standby")
            active = case.active[role]
            expect(
                active is None or active not in given,
                gettext("The active member has a key of its own too, which does not make it a standby."),
                "03.1.itself",
            )
            expect(
                list(given) == servers,
                gettext(
                    "All other members of the role are standbys: their ids as numbers, the lowest first."
                ),
                "03.1.standby",
            )


@example(4, gives=3)
def check_majority(needed: Function) -> None:
    """How many members must agree."""
    sizes = range(1, 40)
    for size, answer in zip(sizes, call_many(needed, ((size,) for size in sizes)), strict=True):
        expect(
            _is_number(answer, majority(size)),
            gettext("A majority is more than half of all members, whether they are up or not."),
            "03.2.majority",
        )


@example(4, gives=1)
def check_tolerates(losses: Function) -> None:
    """How many may be lost."""
    sizes = range(1, 40)
    for size, answer in zip(sizes, call_many(losses, ((size,) for size in sizes)), strict=True):
        expect(
            _is_number(answer, tolerates(size)),
            gettext(
                "What is left after the losses must still be a majority of all members, not of the ones left."
            ),
            "03.2.tolerates",
        )


@example(2, gives=5)
def check_smallest(fewest: Function, wanted: Sequence[int]) -> None:
    """The smallest cluster that survives so many losses."""
    for losses, answer in zip(wanted, call_many(fewest, ((losses,) for losses in wanted)), strict=True):
        expect(
            isinstance(whole(answer), int) and answer >= 1 and tolerates(whole(answer)) >= losses,
            gettext("A cluster of that size survives as many losses as were asked for."),
            "03.2.smallest",
        )
        expect(
            answer == smallest(losses),
            gettext(
                "No smaller cluster survives them: one more member that makes the number even costs "
                "money and buys nothing."
            ),
            "03.2.even",
        )


def check_refused(needed: Function, fewest: Function) -> None:
    """What makes no sense is refused, and what makes sense is not."""
    behaviour = gettext("Fewer than 1 member, or fewer than 0 losses, raise a ValueError.")
    expect_refused(needed, [(0,), (-3,)], (3,), behaviour, "03.2.refused")
    expect_refused(fewest, [(-1,)], (1,), behaviour, "03.2.refused")


@example({"a": 2, "b": 1}, gives=["a"])
def check_zones(fatal: Function, cases: Sequence[Zones]) -> None:
    """The zones that etcd cannot lose."""
    answers = call_many(fatal, ((dict(case.members),) for case in cases))
    for case, given in zip(cases, answers, strict=True):
        expect(_is_list(given), gettext("The answer is a list of names of zones."), "03.2.zones")
        expect(
            sorted(given) == case.fatal,
            gettext(
                "A zone is fatal if the members of the other zones are no majority of all members: "
                "half is no majority."
            ),
            "03.2.zones",
        )
        expect(list(given) == case.fatal, gettext("The names come in alphabetical order."), "03.2.zones")


def check_sound(validate: Function, cases: Sequence[Topology]) -> None:
    """Nothing is reported where nothing is wrong."""
    for answer in _call_validate(validate, cases):
        rules = sorted({rule for _, rule in answer})
        expect(
            answer == [],
            gettext("A topology breaks no rule, and yet something is reported: {names}.").format(
                names=", ".join(map(str, rules))
            ),
            "03.3.sound",
        )
    [broken] = draw(make_topology, seed=3)
    [answer] = _call_validate(validate, [broken])
    expect(
        answer != [],
        gettext("Where rules are broken, something is reported: who never reports anything has not looked."),
        "03.3.sound",
    )


def check_rules(validate: Function, cases: Sequence[Topology]) -> None:
    """Every violation is reported, and none that is not there."""
    for case, answer in zip(cases, _call_validate(validate, cases), strict=True):
        want, given = (Counter(rule for _, rule in some) for some in (case.violations, answer))
        for rule in RULES:
            expect(
                given[rule] >= want[rule],
                gettext(
                    'Not every violation of "{rule}" is reported. A switch that is missing is off, and '
                    "one violation does not excuse the next."
                ).format(rule=rule),
                f"03.3.{rule}",
            )
            expect(
                given[rule] <= want[rule],
                gettext(
                    'A violation of "{rule}" is reported where the rule is kept, or one is reported twice.'
                ).format(rule=rule),
                f"03.3.{rule}",
            )


def check_parts(validate: Function, cases: Sequence[Topology]) -> None:
    """Each with its part."""
    check_rules(validate, cases)
    for case, answer in zip(cases, _call_validate(validate, cases), strict=True):
        expect(
            sorted(answer) == sorted(case.violations),
            gettext("Each violation names the part that breaks the rule."),
            "03.3.parts",
        )


def _call_standing(standing: Function, cases: Sequence[Sessions], hint: str) -> list[Any]:
    answers = call_many(standing, ((dict(case.data),) for case in cases))
    for case, given in zip(cases, answers, strict=True):
        expect(
            isinstance(given, Mapping) and set(given) == set(case.active),
            gettext("The answer is a dict with every coordinator role, and no other role, as its keys."),
            "03.1.roles",
        )
        expect(
            all(isinstance(role, Mapping) and {"active", "standby"} <= set(role) for role in given.values()),
            gettext('Each role has a dict with "active" and "standby".'),
            hint,
        )
    return answers


def _call_validate(validate: Function, cases: Sequence[Topology]) -> list[list[Violation]]:
    reports = []
    for given in call_many(validate, ((copy.deepcopy(case.parts),) for case in cases)):
        expect(
            _is_list(given) and all(_is_list(pair) and len(pair) == 2 for pair in given),
            gettext("The answer is a list of violations, each of them (part, rule)."),
            "03.3.report",
        )
        expect(
            all(isinstance(part, str) and rule in RULES for part, rule in given),
            gettext("A violation is the name of a part and one of the rules {rules}.").format(
                rules=", ".join(RULES)
            ),
            "03.3.report",
        )
        reports.append([tuple(pair) for pair in given])
    return reports


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _is_number(value: Any, want: Any) -> bool:
    value = whole(value)
    return isinstance(value, int) and not isinstance(value, bool) and bool(value == want)
