"""halab: predict what a Milvus cluster's users notice when a part fails, then measure it.

with halab.cluster() as cluster:
    with cluster.fault("crash", "active rootcoord"):
        ...
"""

from halab import errors
from halab.cluster import open_cluster as cluster
from halab.cluster.doctor import doctor

# `halab.cluster(...)` is what learners write; the room of that name stays importable as usual
# (`from halab.cluster import ...`), since imports look packages up by name and not by attribute.

__all__ = ["cluster", "doctor", "errors"]
