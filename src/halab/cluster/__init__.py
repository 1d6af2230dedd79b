"""One `Cluster` protocol and the engines behind it: `embedded` (real processes), `compose` (containers) and
`simulated`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

from halab.cluster.protocol import Cluster
from halab.cluster.running_cluster import USUAL_PROFILE, RunningCluster
from halab.errors import ClusterError
from halab.models.milvus_versions import COURSE
from halab.translation import gettext

__all__ = [
    "attach_cluster", "engine_of", "is_running", "open_cluster", "starter", "take_all_down", "take_down",
]  # fmt: skip


def open_cluster(
    name: str = "course",
    *,
    engine: str | None = None,
    profile: str | None = None,
    ttl: float | None = None,
    milvus: str | None = None,
    progress: Callable[[dict[str, Any]], None] | None = None,
) -> Cluster:
    """A ready cluster: started now, or the one of that name that already runs. Exported as `halab.cluster`.

    `engine` is "embedded", "compose" or "simulated"; if not given, what the environment variable HALAB_ENGINE
    says, else the one that runs a cluster of that name already, else embedded.
    Use it in a `with` block, or keep it: a cluster started here ends with this process at the latest.
    A new one has profile "ha" and a session TTL (`ttl`) of 10 seconds, unless others are asked for; one that
    runs is used as it is, and what is shown says how it is. `milvus` is for containers a line such as "2.6",
    for the simulated engine a version of `halab.models.milvus_versions.ARCHITECTURES`; none of today's was
    measured by the course. `progress` is called ten times a second while it
    starts; by default the progress is shown on the screen. Raises the errors of the engine's `start`.
    """
    engine = engine or os.environ.get("HALAB_ENGINE") or engine_of(name)
    if engine == "simulated":
        from halab.cluster.simulated import SimulatedCluster

        return SimulatedCluster(name, profile or USUAL_PROFILE, ttl, milvus=milvus or COURSE)
    start = starter(engine, milvus)
    from halab.cluster.display import live_progress

    if progress is not None:
        return start(name, profile, ttl, progress=progress)
    with live_progress() as show:
        return start(name, profile, ttl, progress=show)


def starter(engine: str, milvus: str | None = None) -> Callable[..., RunningCluster]:
    """The `start` function of an engine that runs processes or containers. Raises ClusterError for others,
    and for another Milvus than the one that engine has."""
    if engine == "embedded":
        if milvus is not None:
            raise ClusterError(
                gettext("The embedded engine has one Milvus, the course's; others come in containers."),
                hint=gettext('Choose the engine "compose".'),
            )
        from halab.cluster.embedded.embedded_cluster import start

        return start
    if engine == "compose":
        from halab.cluster.compose.startup import start as start_containers

        return partial(start_containers, milvus=milvus) if milvus else start_containers
    if engine == "simulated":
        raise ClusterError(
            gettext("The simulated engine runs nothing, so there is nothing to start here."),
            hint=gettext('It lives in a notebook or a program: halab.cluster(engine="simulated").'),
        )
    raise ClusterError(
        gettext("There is no engine {engine!r}.").format(engine=engine),
        hint=gettext('Choose "embedded", "compose" or "simulated".'),
    )


def attach_cluster(name: str = "course") -> RunningCluster:
    """The running cluster of that name, whichever engine runs it: processes first, then containers.

    Raises ClusterNotFound.
    """
    from halab.cluster.compose import compose_cluster as containers
    from halab.cluster.embedded import embedded_cluster as processes

    if engine_of(name) == "compose":
        return containers.attach(name)
    return processes.attach(name)  # raises, and says which clusters there are


def engine_of(name: str) -> str:
    """The engine that runs a cluster of that name; embedded if none does."""
    from halab.cluster.compose import projects
    from halab.cluster.embedded import embedded_cluster as processes

    return "compose" if not processes.is_running(name) and projects.exists(name) else "embedded"


def is_running(name: str) -> bool:
    """Whether an engine runs a cluster of that name now."""
    from halab.cluster.compose import projects
    from halab.cluster.embedded import embedded_cluster as processes

    return processes.is_running(name) or projects.exists(name)


def take_down(name: str) -> None:
    """End a cluster, whatever state it is in, and remove all that it keeps: a stale folder too.

    Raises ClusterNotFound if no engine knows the name, ClusterError if Docker leaves something behind.
    """
    from halab.cluster.compose import projects
    from halab.cluster.embedded import embedded_cluster as processes

    if processes.exists(name):
        processes.remove(processes.folder_of(name))
    elif projects.exists(name):
        projects.remove(name)
    else:
        raise processes.not_running(name)


def take_all_down() -> list[str]:
    """End every cluster of every engine as `take_down` does; their names."""
    from halab.cluster.compose import projects
    from halab.cluster.embedded import embedded_cluster as processes

    return processes.down_all() + projects.down_all()


class _CallableModule(ModuleType):
    """Makes `halab.cluster(...)` open a cluster, while `import halab.cluster` still gives this module."""

    __call__ = staticmethod(open_cluster)


sys.modules[__name__].__class__ = _CallableModule
