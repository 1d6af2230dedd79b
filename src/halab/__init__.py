"""halab: predict what a Milvus cluster's users notice when a part fails, then measure it.

with halab.cluster() as cluster:
    with cluster.fault("crash", "active rootcoord"):
        ...
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from halab import cluster, errors

if TYPE_CHECKING:
    from halab.cluster.doctor import Report

__all__ = ["cluster", "doctor", "errors"]


def doctor() -> Report:
    """Look at this machine and say what would keep the embedded cluster from running, line by line."""
    from halab.cluster.doctor import doctor as examine  # here: every process of a cluster imports this file

    return examine()
