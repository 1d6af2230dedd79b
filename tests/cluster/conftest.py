"""Fixtures of the cluster tests: a home of their own, and one real cluster for all that only need one."""

import pytest

from halab.cluster.embedded import embedded_cluster, spec


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Clusters of this test live in a folder of its own."""
    monkeypatch.setenv("HALAB_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def make(home):
    """Makes a cluster's settings without starting anything."""

    def make(profile="ha", name="lab", ttl=10):
        numbers = list(range(20_000, 20_000 + spec.ports_needed(profile)))
        (spec.clusters_folder() / name).mkdir(parents=True, exist_ok=True)
        return spec.make_spec(
            name,
            profile,
            ttl,
            socket=spec.clusters_folder() / "s",
            owner=None,
            ports=numbers,
            versions={"milvus": "2.3.5"},
        )

    return make


@pytest.fixture(scope="module")
def ha(real_home):
    """One highly available cluster for every test that only breaks and heals."""
    with embedded_cluster.start("ha", "ha", 10) as cluster:
        yield cluster
