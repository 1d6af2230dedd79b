"""Fixtures of the cluster tests: a home of their own, and one real cluster for all that only need one."""

import psutil
import pytest

from halab.cluster.embedded import binaries, engine, spec


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
def real_home(tmp_path_factory):
    """Where the real clusters of a test run live. Skips where they cannot run; nothing is left at the end."""
    if problem := binaries.platform_problem():
        pytest.skip(f"the embedded cluster cannot run here: {problem}")
    home = tmp_path_factory.mktemp("halab")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HALAB_HOME", str(home))
        yield home
        engine.down_all()
        assert left_in(home) == [], "processes outlived the test run"


@pytest.fixture(scope="module")
def ha(real_home):
    """One highly available cluster for every test that only breaks and heals."""
    with engine.start("ha", "ha", 10) as cluster:
        yield cluster


def left_in(folder):
    """Processes that work in, or were started for, anything below `folder`."""
    found = []
    for process in psutil.process_iter(["pid", "cmdline", "status"]):
        try:
            if process.info["status"] != psutil.STATUS_ZOMBIE and process.cwd().startswith(str(folder)):
                found.append(process)
        except psutil.Error:
            continue
    return found
