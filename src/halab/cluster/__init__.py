"""One `Cluster` protocol and the engines behind it: `embedded` (real processes) and `simulated`."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from halab.cluster.protocol import Cluster
from halab.errors import ClusterError

__all__ = ["open_cluster"]


def open_cluster(
    name: str = "course",
    *,
    engine: str | None = None,
    profile: str = "ha",
    ttl: float = 10,
    progress: Callable[[dict[str, Any]], None] | None = None,
) -> Cluster:
    """A ready cluster: started now, or the one of that name that already runs. Exported as `halab.cluster`.

    `engine` is "embedded" or "simulated"; if not given, the environment variable HALAB_ENGINE, else embedded.
    Use it in a `with` block, or keep it: a cluster started here ends with this process at the latest.
    `ttl` is the session TTL in seconds. `progress` is called ten times a second while it starts; by
    default progress is shown where this is called. Raises the errors of `embedded.engine.start`.
    """
    engine = engine or os.environ.get("HALAB_ENGINE") or "embedded"
    if engine == "simulated":
        from halab.cluster.simulated import SimulatedCluster

        return SimulatedCluster(name, profile, ttl)
    if engine != "embedded":
        raise ClusterError(f"There is no engine {engine!r}.", hint='Choose "embedded" or "simulated".')
    from halab.cluster.embedded.engine import start
    from halab.cluster.show import live_progress

    if progress is not None:
        return start(name, profile, ttl, progress=progress)
    with live_progress() as show:
        return start(name, profile, ttl, progress=show)
