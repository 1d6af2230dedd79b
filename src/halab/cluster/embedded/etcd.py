"""Reads what Milvus keeps in etcd: sessions, and who leads etcd. Over etcd's own JSON gateway."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import dataclass, field
from typing import Any

import httpx

__all__ = ["EtcdView", "read_etcd"]


@dataclass(frozen=True, slots=True)
class EtcdView:
    """What one look at etcd saw.

    `members`: endpoints that answered; `leader`: endpoint of etcd's leader, or ""; `sessions`: the
    server id of the newest session by address; `active`: address of the active member by coordinator role.
    """

    members: frozenset[str] = frozenset()
    leader: str = ""
    sessions: dict[str, int] = field(default_factory=dict)
    active: dict[str, str] = field(default_factory=dict)


async def read_etcd(client: httpx.AsyncClient, endpoints: list[str], prefix: str) -> EtcdView:
    """One look: the status of every member, then the sessions under `prefix` from one that answers.

    The range is serializable, so that sessions can be read even while etcd has no quorum.
    """
    answers = await asyncio.gather(
        *(_post(client, endpoint, "maintenance/status", {}) for endpoint in endpoints)
    )
    statuses = {endpoint: status for endpoint, status in zip(endpoints, answers, strict=True) if status}
    leader = next((e for e, s in statuses.items() if s.get("leader") == s["header"]["member_id"]), "")
    root = f"{prefix}/meta/session/"
    ask = {"key": _encode(root), "range_end": _encode(root[:-1] + chr(ord("/") + 1)), "serializable": True}
    for endpoint in sorted(statuses, key=lambda found: found != leader):
        if answer := await _post(client, endpoint, "kv/range", ask):
            sessions, active = _sessions(answer, root)
            return EtcdView(frozenset(statuses), leader, sessions, active)
    return EtcdView(frozenset(statuses), leader)


def _encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _sessions(answer: dict[str, Any], root: str) -> tuple[dict[str, int], dict[str, str]]:
    sessions: dict[str, int] = {}
    active: dict[str, str] = {}
    for kv in answer.get("kvs", []):
        key = base64.b64decode(kv["key"]).decode().removeprefix(root)
        try:
            session = json.loads(base64.b64decode(kv.get("value", "")))
            address, server = session["Address"], int(session["ServerID"])
        except (ValueError, KeyError, TypeError):
            continue  # a counter of ids lives under the same prefix
        sessions[address] = max(server, sessions.get(address, 0))
        if key in ("rootcoord", "querycoord", "datacoord"):
            active[key] = address
    return sessions, active


async def _post(client: httpx.AsyncClient, endpoint: str, path: str, body: object) -> dict[str, Any] | None:
    try:
        answer = await client.post(f"http://{endpoint}/v3/{path}", json=body)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
    except (httpx.HTTPError, ValueError):
        return None
    return found
