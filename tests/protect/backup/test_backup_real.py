"""A backup of a real cluster, and its restore in place of a collection and where it is gone."""

import random

import pyarrow.parquet as pq
import pytest
from pymilvus import DataType, MilvusClient
from typer.testing import CliRunner

from halab.cli import app
from halab.measure.probing.retriever import Retriever
from halab.protect.backup import backup, restore, verify

pytestmark = [pytest.mark.cluster]


def test_rows_come_back_after_a_delete_and_after_a_drop(small, tmp_path):
    folder, name = tmp_path / "monday", "halab_cards"
    with Retriever(small, replicas=1, name=name) as retriever:
        run = CliRunner().invoke(app, ["backup", str(folder), "-n", "lab", "-c", name])
        assert run.exit_code == 0, run.output
        count = len(retriever.passages)
        assert verify(folder).rows == count
        client = retriever._client
        client.delete(name, ids=list(range(count)))
        assert len(retriever.count().missing) == count
        assert restore(small, folder, replace=True).rows == {name: count}
        assert not retriever.count().missing
        client.release_collection(name)
        client.drop_collection(name)
        run = CliRunner().invoke(app, ["restore", str(folder), "-n", "lab", "--as", f"{name}={name}"])
        assert run.exit_code == 0, run.output
        assert not retriever.count().missing
        assert retriever.ask("What is the difference between RTO and RPO?")
        assert set(client.list_collections()) >= {name}
        assert backup(small, tmp_path / "again", [name]).rows == count


def test_no_page_misses_a_row_of_any_shard_or_segment(small, tmp_path):
    client = MilvusClient(small.uri, timeout=60)
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=4)
    client.create_collection("many", schema=schema, num_shards=2)
    keys = random.Random(8).sample(range(10**9), 3000)
    for first, last in ((0, 1000), (1000, 1200), (1200, 3000)):  # two flushed parts, and one in the log
        client.insert("many", [{"id": key, "vector": [0.0, 1.0, 2.0, 3.0]} for key in keys[first:last]])
        if last < 3000:
            client.flush("many")
    index = client.prepare_index_params()
    index.add_index("vector", index_type="FLAT", metric_type="L2")
    client.create_index("many", index)
    client.load_collection("many")
    backup(small, tmp_path / "many", ["many"], page=100)
    client.close()
    saved = pq.read_table(tmp_path / "many" / "many" / "_default.parquet")["id"].to_pylist()
    assert saved == sorted(keys)
