"""Resolves a target such as "active rootcoord" to the one component it names now.

The grammar, shared by every engine; case, hyphens, underscores and spaces do not matter:

    rootcoord-1, query node 1        a component by its name, or by role and number
    log, object store                a role, when there is only one of it; of a log's several brokers any one
    active rootcoord, etcd leader    the member of a role that leads now
    standby querycoord, etcd follower  a member that does not; the first by number if there are several,
                                     since they are interchangeable
    any data node                    the first healthy member of a role

Pure functions: the caller resolves at the instant of the fault and records the result.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from halab.cluster.protocol import COORDINATORS, ROLES, Component, HaState
from halab.errors import TargetError
from halab.models.validation import did_you_mean
from halab.translation import gettext

__all__ = ["check_words", "resolve", "targets"]

_LEADS = {"active", "leader"}
_FOLLOWS = {"standby", "follower"}
_QUALIFIERS = _LEADS | _FOLLOWS | {"any"}
_PLAIN = {
    "streamingnode": "streaming node",
    "querynode": "query node",
    "datanode": "data node",
    "indexnode": "index node",
    "objectstore": "object store",
}


def resolve(components: Sequence[Component], target: str) -> Component:
    """The one component that `target` names now.

    Raises TargetError if it names nothing or several components; the hint lists the targets there are.
    """
    words = _parsed(target)
    if words is None:
        raise _not_found(
            components, target, gettext('No target is called "{strip}".').format(strip=target.strip())
        )
    role, qualifiers, numbers = words
    members = [component for component in components if component.role == role]
    if not members:
        raise _not_found(
            components,
            target,
            gettext("This cluster has no {role_words}.").format(role_words=_role_words(role)),
        )
    if numbers:
        return _numbered(components, members, target, numbers[0])
    if not qualifiers:
        return _only(components, members, target, role)
    if qualifiers == ["any"]:
        return _any(members)
    return _by_ha_state(components, members, target, qualifiers[0])


def check_words(target: str) -> None:
    """Raise TargetError for words that name nothing in any cluster, before there is one."""
    if _parsed(target) is None:
        roles = [_role_words(role) for role in ROLES]
        whole = [f"{word} {role}" for role in roles for word in (*sorted(_QUALIFIERS), "")]
        raise TargetError(
            gettext('No target is called "{strip}".').format(strip=target.strip()),
            hint=gettext("{did_you_mean}The roles are: {roles}.").format(
                did_you_mean=did_you_mean(target, map(str.strip, whole)), roles=", ".join(roles)
            ),
        )


def _parsed(target: str) -> tuple[str, list[str], list[int]] | None:
    """The role, the qualifiers and the numbers of a target's words; None if they make no target."""
    words = re.findall(r"[a-z]+|\d+", target.lower().replace("coordinator", "coord"))
    qualifiers = [word for word in words if word in _QUALIFIERS]
    numbers = [int(word) for word in words if word.isdigit()]
    role = "".join(word for word in words if word not in _QUALIFIERS and not word.isdigit())
    if role not in ROLES or len(qualifiers) > 1 or len(numbers) > 1 or (qualifiers and numbers):
        return None
    return role, qualifiers, numbers


def targets(components: Sequence[Component]) -> list[str]:
    """Every target that can be named now, one spelling each, in the order of the components."""
    named: dict[str, None] = {}
    for component in components:
        role = component.role
        alone = sum(other.role == role for other in components) == 1
        if component.ha_state:
            words = (role, component.ha_state) if role == "etcd" else (component.ha_state, role)
            named[" ".join(words)] = None
        named[_role_words(role) if alone else component.name] = None
        if not alone:
            named[f"any {_role_words(role)}"] = None
    return list(named)


def _role_words(role: str) -> str:
    return _PLAIN.get(role, role)


def _numbered(
    components: Sequence[Component], members: list[Component], target: str, number: int
) -> Component:
    for member in members:
        if re.search(r"\d+$", member.name) and int(member.name.rpartition("-")[2]) == number:
            return member
    raise _not_found(components, target, gettext('There is no "{strip}" here.').format(strip=target.strip()))


def _any(members: list[Component]) -> Component:
    return next((member for member in members if member.health == "healthy"), members[0])


def _only(components: Sequence[Component], members: list[Component], target: str, role: str) -> Component:
    if len(members) == 1:
        return members[0]
    if role == "log":  # its brokers are interchangeable here: "the log" means any of them
        return _any(members)
    names = ", ".join(member.name for member in members)
    raise TargetError(
        gettext('"{strip}" is ambiguous: there are {count} ({names}).').format(
            strip=target.strip(), count=len(members), names=names
        ),
        hint=gettext('Say which, such as "{name}" or "any {role_words}". {listing}').format(
            name=members[0].name, role_words=_role_words(role), listing=_listing(components)
        ),
    )


def _by_ha_state(
    components: Sequence[Component], members: list[Component], target: str, word: str
) -> Component:
    role = members[0].role
    leads: HaState = "leader" if role == "etcd" else "active"
    follows: HaState = "follower" if role == "etcd" else "standby"
    wanted = leads if word in _LEADS else follows
    for member in members:
        if member.ha_state == wanted:
            return member
    if role in COORDINATORS or role == "etcd":
        raise _not_found(
            components,
            target,
            gettext("No {role_words} is {wanted} now.").format(role_words=_role_words(role), wanted=wanted),
        )
    raise _not_found(
        components,
        target,
        gettext("A {role_words} is never {word}: all of them serve.").format(
            role_words=_role_words(role), word=word
        ),
    )


def _not_found(components: Sequence[Component], target: str, message: str) -> TargetError:
    known = targets(components)
    return TargetError(message, hint=did_you_mean(target, known) + _listing(components))


def _listing(components: Sequence[Component]) -> str:
    return (
        gettext("There is: {names}.").format(names=", ".join(targets(components)))
        if components
        else gettext("The cluster has no components.")
    )
