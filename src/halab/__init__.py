"""halab: predict what a Milvus cluster's users notice when a part fails, then measure it.

with halab.cluster() as cluster:
    with cluster.fault("crash", "active rootcoord"):
        ...
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from halab import errors
from halab.cluster import open_cluster as cluster

if TYPE_CHECKING:
    from halab.cluster.doctor import Report

# `halab.cluster(...)` is what learners write; the room of that name stays importable as usual
# (`from halab.cluster import ...`), since imports look packages up by name and not by attribute.

__all__ = ["cluster", "doctor", "errors"]


def doctor() -> Report:
    """Look at this machine and say what would keep the embedded cluster from running, line by line."""
    from halab.cluster.doctor import doctor as examine  # here: every process of a cluster imports this file

    return examine()
