"""Reads Milvus' sessions from etcd, and who leads etcd, over etcd's own JSON gateway."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from halab.cluster.protocol import COORDINATORS, Session

__all__ = ["EtcdView", "put_config", "read_etcd", "read_sessions"]


@dataclass(frozen=True, slots=True)
class EtcdView:
    """The state of etcd at one moment.

    `members`: endpoints that answered; `leader`: endpoint of etcd's leader, or ""; `sessions`: the server id
    of the newest session by address; `active`: address of the active member by coordinator role.
    """

    members: frozenset[str] = frozenset()
    leader: str = ""
    sessions: dict[str, int] = field(default_factory=dict)
    active: dict[str, str] = field(default_factory=dict)


async def read_etcd(client: httpx.AsyncClient, endpoints: list[str], prefix: str) -> EtcdView:
    """Ask every member for its status, then one that answers (the leader first) for the sessions.

    `prefix` is the root of Milvus' keys. The read is serializable, so that it works without a quorum too.
    """
    answers = await asyncio.gather(
        *(_post(client, endpoint, "maintenance/status", {}) for endpoint in endpoints)
    )
    statuses = {endpoint: status for endpoint, status in zip(endpoints, answers, strict=True) if status}
    leader = next((e for e, s in statuses.items() if s.get("leader") == s["header"]["member_id"]), "")
    root, ask = _range(prefix)
    for endpoint in sorted(statuses, key=lambda endpoint: endpoint != leader):
        if answer := await _post(client, endpoint, "kv/range", ask):
            sessions, active = _sessions(answer, root)
            return EtcdView(frozenset(statuses), leader, sessions, active)
    return EtcdView(frozenset(statuses), leader)


async def read_sessions(client: httpx.AsyncClient, endpoints: list[str], prefix: str) -> list[Session]:
    """Every session under `prefix`, by key, with its lease; without a quorum its time left is unknown: 0."""
    root, ask = _range(prefix)
    for endpoint in endpoints:
        if (answer := await _post(client, endpoint, "kv/range", ask)) is not None:
            sessions = [_session(kv, root) for kv in answer.get("kvs", []) if kv.get("lease")]
            leases = (_with_lease(client, endpoint, session) for session in sessions)
            return list(await asyncio.gather(*leases))
    return []


def _range(prefix: str) -> tuple[str, dict[str, Any]]:
    root = f"{prefix}/meta/session/"
    end = root[:-1] + chr(ord("/") + 1)
    return root, {"key": _encode(root), "range_end": _encode(end), "serializable": True}


def _session(kv: dict[str, Any], root: str) -> Session:
    key = base64.b64decode(kv["key"]).decode().removeprefix(root)
    return Session(key, base64.b64decode(kv.get("value", "")).decode(), str(kv["lease"]))


async def _with_lease(client: httpx.AsyncClient, endpoint: str, session: Session) -> Session:
    answer = await _post(client, endpoint, "lease/timetolive", {"ID": session.lease})
    if answer is None:
        return session
    granted, left = (float(answer.get(name, 0)) for name in ("grantedTTL", "TTL"))
    return replace(session, granted=granted, left=max(0.0, left))


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
        if key in COORDINATORS:
            active[key] = address
    return sessions, active


def put_config(endpoint: str, prefix: str, key: str, value: str) -> bool:
    """Write one of Milvus' settings under the root of its keys; whether this member of etcd took it."""
    body = {"key": _encode(f"{prefix}/config/{key}"), "value": _encode(value)}
    try:
        return httpx.post(f"http://{endpoint}/v3/kv/put", json=body, timeout=5.0).is_success
    except httpx.HTTPError:
        return False


async def _post(client: httpx.AsyncClient, endpoint: str, path: str, body: object) -> dict[str, Any] | None:
    try:
        answer = await client.post(f"http://{endpoint}/v3/{path}", json=body)
        answer.raise_for_status()
        result: dict[str, Any] = answer.json()
    except (httpx.HTTPError, ValueError):
        return None
    return result
