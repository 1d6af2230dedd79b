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

    `members`: endpoints that answered; `leader`: endpoint of etcd's leader, or ""; `sessions`: addresses
    with a live session; `active`: address of the active member by coordinator role.
    """

    members: frozenset[str] = frozenset()
    leader: str = ""
    sessions: frozenset[str] = frozenset()
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


def _sessions(answer: dict[str, Any], root: str) -> tuple[frozenset[str], dict[str, str]]:
    addresses, active = set(), {}
    for kv in answer.get("kvs", []):
        key = base64.b64decode(kv["key"]).decode().removeprefix(root)
        try:
            address = json.loads(base64.b64decode(kv.get("value", "")))["Address"]
        except (ValueError, KeyError, TypeError):
            continue  # a counter of ids lives under the same prefix
        addresses.add(address)
        if key in ("rootcoord", "querycoord", "datacoord"):
            active[key] = address
    return frozenset(addresses), active


async def _post(client: httpx.AsyncClient, endpoint: str, path: str, body: object) -> dict[str, Any] | None:
    try:
        answer = await client.post(f"http://{endpoint}/v3/{path}", json=body)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
    except (httpx.HTTPError, ValueError):
        return None
    return found
