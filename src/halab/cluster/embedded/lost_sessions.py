"""Milvus processes whose session in etcd has ended and that live on without one.

Active roles and workers exit when their session ends. A standby coordinator of 2.3.5 does not, since only an
active one watches its session: its log goes on to say "STANDBY", and `/healthz` is OK. Measured after etcd's
leader hung for longer than a session lives. Nothing in Kubernetes would end such a process either.
"""

from __future__ import annotations

import time

from halab.cluster.embedded.child_process import Child
from halab.cluster.embedded.process_table import ProcessTable

__all__ = ["PATIENCE", "LostSessions"]

PATIENCE = 30.0  # seconds without a session; to start and to register takes a few
GRACE = 2.0  # seconds to stop in; such a process has nothing to hand over


class LostSessions:
    """Starts processes of a table again that have been without a session for `PATIENCE` seconds."""

    def __init__(self, table: ProcessTable) -> None:
        self._table = table
        self._since: dict[str, float] = {}  # since when, by name (`time.monotonic`)

    async def restart_lost(self) -> None:
        """Start again who has waited long enough, as the supervisor, with the reason in the event."""
        for child in [child for child in self._table.of_roles() if child.process.is_milvus]:
            if not self._lost(child):
                self._since.pop(child.name, None)
                continue
            since = max(self._since.setdefault(child.name, time.monotonic()), child.started)
            if time.monotonic() - since > PATIENCE:
                why = f"no session in etcd for {PATIENCE:g} s, and it would not register again"
                await self._table.restart(child, GRACE, "supervisor", "restarted", why)

    def _lost(self, child: Child) -> bool:
        """True if a process runs without a session though etcd could hold one."""
        return bool(self._table.etcd.leader) and (
            child.running and not child.fault and not self._table.has_session(child)
        )
