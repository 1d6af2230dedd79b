"""What a notebook is told when its cluster is gone, or cannot do what is asked. No cluster is needed."""

from types import SimpleNamespace

import pytest

from halab.cluster.embedded.embedded_cluster import EmbeddedCluster, start
from halab.errors import ClusterError, ClusterNotFound, FaultError


def test_a_cluster_taken_down_elsewhere_is_told_with_what_to_do(tmp_path):
    spec = SimpleNamespace(profile="ha", name="course", socket=tmp_path / "supervisor", folder=tmp_path)
    with pytest.raises(ClusterNotFound, match="it was taken down") as told:
        EmbeddedCluster(spec, owned=False).resolve("active rootcoord")
    assert "halab.cluster()" in told.value.hint
    assert "halab up" in told.value.hint
    assert "Errno" not in str(told.value)


def test_processes_on_one_loopback_have_no_network_to_cut(tmp_path):
    spec = SimpleNamespace(profile="ha", name="course", socket=tmp_path / "supervisor", folder=tmp_path)
    with pytest.raises(FaultError, match="no network of their own") as told:
        EmbeddedCluster(spec, owned=False).inject("partition", "active rootcoord")
    assert "compose" in told.value.hint


def test_a_home_that_cannot_be_written_is_told_with_another_way(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("HALAB_HOME", str(tmp_path / "file"))
    with pytest.raises(ClusterError, match="cannot be written") as told:
        start("lab", "small")
    assert "HALAB_HOME" in told.value.hint
