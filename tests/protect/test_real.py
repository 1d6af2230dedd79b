"""A backup of a real cluster, and its restore in place of a collection and where it is gone."""

import pytest
from typer.testing import CliRunner

from halab.cli import app
from halab.cluster.embedded import binaries, engine
from halab.measure import Retriever
from halab.protect import backup, restore, verify

pytestmark = [pytest.mark.cluster]


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    if problem := binaries.platform_problem():
        pytest.skip(f"the embedded cluster cannot run here: {problem}")
    monkeypatch.setenv("HALAB_HOME", str(tmp_path / "home"))
    with engine.start("lab", "small", 10) as cluster:
        yield cluster


def test_rows_come_back_after_a_delete_and_after_a_drop(cluster, tmp_path):
    folder, name = tmp_path / "monday", "halab_cards"
    with Retriever(cluster, replicas=1, name=name) as retriever:
        run = CliRunner().invoke(app, ["backup", str(folder), "-n", "lab", "-c", name])
        assert run.exit_code == 0, run.output
        count = len(retriever.passages)
        assert verify(folder).rows == count
        client = retriever._client
        client.delete(name, ids=list(range(count)))
        assert len(retriever.count().missing) == count
        assert restore(cluster, folder, replace=True).rows == {name: count}
        assert not retriever.count().missing
        client.release_collection(name)
        client.drop_collection(name)
        run = CliRunner().invoke(app, ["restore", str(folder), "-n", "lab", "--as", f"{name}={name}"])
        assert run.exit_code == 0, run.output
        assert not retriever.count().missing
        assert retriever.ask("What is the difference between RTO and RPO?")
        assert set(client.list_collections()) >= {name}
        assert backup(cluster, tmp_path / "again", [name]).rows == count
