"""A backup of a real cluster, and its restore in place of a collection and where it is gone."""

import random

import numpy as np
import pyarrow.parquet as pq
import pytest
from pymilvus import DataType, MilvusClient
from pymilvus.client.types import LoadState
from typer.testing import CliRunner

from halab.cli import app
from halab.measure.probing.milvus_collections import aliases_of
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


@pytest.fixture
def client(small):
    client = MilvusClient(small.uri, timeout=60)
    yield client
    client.close()


def made(client, name, *fields, key=("id", DataType.INT64, {}), vector=("v", DataType.FLOAT_VECTOR, 4)):
    """A loaded collection with more fields than its key and vector; dropped first if it is there."""
    if client.has_collection(name):
        for alias in aliases_of(client, name):
            client.drop_alias(alias)
        client.drop_collection(name)
    schema = client.create_schema(auto_id=False)
    schema.add_field(key[0], key[1], is_primary=True, **key[2])
    schema.add_field(vector[0], vector[1], dim=vector[2])
    for field, kind, options in fields:
        schema.add_field(field, kind, **options)
    client.create_collection(name, schema=schema)
    index = client.prepare_index_params()
    binary = vector[1] is DataType.BINARY_VECTOR
    index.add_index(
        vector[0], index_type="BIN_FLAT" if binary else "FLAT", metric_type="HAMMING" if binary else "L2"
    )
    client.create_index(name, index)
    client.load_collection(name)


def rows_of(client, name):
    key = next(
        field["name"] for field in client.describe_collection(name)["fields"] if field.get("is_primary")
    )
    rows = client.query(name, "", ["*"], limit=10_000, consistency_level="Strong")
    return sorted((dict(row) for row in rows), key=lambda row: row[key])


LENGTH = {"VARCHAR": {"max_length": 9}}
ELEMENTS = {"BOOL": [True, False], "INT8": [-128], "INT16": [2**15 - 1], "INT32": [-(2**31)],
            "INT64": [2**63 - 1], "FLOAT": [0.5], "DOUBLE": [1e300, -0.0], "VARCHAR": ["", "中"]}  # fmt: skip


def test_every_type_that_milvus_knows_comes_back(small, client, tmp_path):
    scalars = [
        (kind.lower(), DataType[kind], {"max_length": 65_535} if kind == "VARCHAR" else {})
        for kind in ELEMENTS
    ]
    arrays = [
        (f"many_{kind.lower()}", DataType.ARRAY,
         {"element_type": DataType[kind], "max_capacity": 4} | LENGTH.get(kind, {}))
        for kind in ELEMENTS
    ]  # fmt: skip
    made(
        client,
        "types",
        *scalars,
        *arrays,
        ("json", DataType.JSON, {}),
        key=("key", DataType.VARCHAR, {"max_length": 99}),
    )
    row = {kind.lower(): values[-1] for kind, values in ELEMENTS.items()}
    row |= {f"many_{kind.lower()}": values for kind, values in ELEMENTS.items()}
    rows = [
        {**row, "key": key, "v": [float(number)] * 4, "json": value}
        for number, (key, value) in enumerate(
            {'a"b\\c': "null", "": {"a": [None, 1.5, "x"]}, "中文\n": {}, "z" * 99: {"big": 10**18}}.items()
        )
    ]
    rows[-1]["varchar"] = "x" * 65_535
    rows[0] |= {f"many_{kind.lower()}": [] for kind in ELEMENTS}
    client.insert("types", rows)
    made(client, "bits", vector=("v", DataType.BINARY_VECTOR, 16))
    client.insert("bits", [{"id": 1, "v": b"\x00\xff"}])
    made(client, "halves", vector=("v", DataType.FLOAT16_VECTOR, 4))
    client.insert("halves", [{"id": 1, "v": np.array([1, 2, 3, 65_504], dtype=np.float16)}])
    names = ["types", "bits", "halves"]
    before = {name: rows_of(client, name) for name in names}
    assert len(before["types"]) == 4
    backup(small, tmp_path / "types", names, page=1)
    restore(small, tmp_path / "types", replace=True)
    assert {name: rows_of(client, name) for name in names} == before


def test_a_key_inserted_twice_cuts_nothing_and_another_database_is_not_forgotten(small, client, tmp_path):
    made(client, "retried")
    client.insert("retried", [{"id": key, "v": [1.0] * 4} for key in range(1001)])
    client.insert("retried", [{"id": 7, "v": [1.0] * 4}])
    if "tenant" not in client.list_databases():
        client.create_database("tenant")
    tenant = MilvusClient(small.uri, db_name="tenant", timeout=60)
    made(tenant, "orders")
    tenant.insert("orders", [{"id": key, "v": [1.0] * 4} for key in range(10)])
    tenant.create_alias("orders", "latest_orders")
    manifest = backup(small, tmp_path / "all")
    saved = {each.qualified: each for each in manifest.collections}
    assert (saved["retried"].rows, saved["retried"].doubled, saved["retried"].doubled_keys) == (
        1001,
        1,
        ("7",),
    )
    assert saved["tenant.orders"].rows == 10
    done = restore(small, tmp_path / "all", ["retried", "tenant.orders"], replace=True)
    assert done.rows == {"retried": 1001, "tenant.orders": 10}
    assert len(rows_of(tenant, "orders")) == 10
    assert "orders" not in client.list_collections()
    assert aliases_of(tenant, "orders") == ["latest_orders"]
    tenant.close()


def test_a_partition_that_is_not_loaded_is_in_the_backup(small, client, tmp_path):
    made(client, "partly")
    client.release_collection("partly")
    client.create_partition("partly", "late")
    for key, partition in enumerate(("_default", "late")):
        client.insert("partly", [{"id": key, "v": [1.0] * 4}], partition_name=partition)
    client.load_partitions("partly", ["late"])
    assert backup(small, tmp_path / "partly", ["partly"]).rows == 2
    assert client.get_load_state("partly", "_default")["state"] == LoadState.NotLoad


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
