"""Majorities, sessions, and what a highly available topology needs: the arithmetic of card 3.

Majority: the Raft paper (Ongaro and Ousterhout 2014, section 5.1) and etcd's FAQ, "Why an odd number of
cluster members?". Sessions: how Milvus keeps them in etcd (2.3.5, read off a running cluster): each process
has a key `role-id`; whoever is active also holds the bare key `role`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from halab.translation import gettext

__all__ = ["Leadership", "holds", "leadership", "majority", "smallest", "tolerates"]


def majority(members: int) -> int:
    """Members that must agree: more than half. Raises ValueError unless there is at least one."""
    if members < 1:
        raise ValueError(gettext("members must be at least 1, not {members}").format(members=members))
    return members // 2 + 1


def tolerates(members: int) -> int:
    """Members that may be lost while the others still are a majority."""
    return members - majority(members)


def smallest(losses: int) -> int:
    """Fewest members that stand so many losses. Raises ValueError below 0."""
    if losses < 0:
        raise ValueError(gettext("losses must be 0 or more, not {losses}").format(losses=losses))
    return 2 * losses + 1


def holds(members: int, reachable: int) -> bool:
    """Whether the members that reach each other may decide.

    Raises ValueError unless `reachable` is from 0 to `members`.
    """
    if not 0 <= reachable <= members:
        raise ValueError(
            gettext("reachable must be from 0 to {members}, not {reachable}").format(
                members=members, reachable=reachable
            )
        )
    return reachable >= majority(members)


@dataclass(frozen=True, slots=True)
class Leadership:
    """Of one role: the server id that is active (None if nobody is), and those that stand by, ascending."""

    active: int | None
    standby: tuple[int, ...]


def leadership(sessions: Mapping[str, str]) -> dict[str, Leadership]:
    """Who is active and who stands by, by coordinator role, from the sessions' keys and JSON values.

    Only coordinators: of every other role all members serve. A value that is no session, such as a counter,
    is passed over.
    """
    by_role: dict[str, set[int]] = {}
    active: dict[str, int] = {}
    for key, value in sessions.items():
        try:
            session = json.loads(value)
            role, server = session["ServerName"], session["ServerID"]
        except (ValueError, KeyError, TypeError):
            continue
        if not role.endswith("coord"):
            continue
        by_role.setdefault(role, set()).add(server)
        if key == role:
            active[role] = server
    return {
        role: Leadership(active.get(role), tuple(sorted(servers - {active.get(role)})))
        for role, servers in sorted(by_role.items())
    }
