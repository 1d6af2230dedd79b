"""What a notebook is told when its cluster was taken down elsewhere. No cluster is needed for that."""

from types import SimpleNamespace

import pytest

from halab.cluster.embedded.engine import EmbeddedCluster
from halab.errors import ClusterNotFound


def test_a_cluster_taken_down_elsewhere_is_told_with_what_to_do(tmp_path):
    spec = SimpleNamespace(name="course", socket=tmp_path / "supervisor")
    with pytest.raises(ClusterNotFound, match="it was taken down") as told:
        EmbeddedCluster(spec, owned=False).resolve("active rootcoord")
    assert "halab.cluster()" in told.value.hint
    assert "halab up" in told.value.hint
    assert "Errno" not in str(told.value)
