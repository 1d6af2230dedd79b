"""A Milvus that keeps its rows in a dict: only what backup and restore ask of it."""

from __future__ import annotations

import copy
import json
import operator

import pytest
from pymilvus import DataType, MilvusClient
from pymilvus.client.types import LoadState
from pymilvus.exceptions import MilvusException


class FakeMilvus:
    """`refuse` names a call that fails, or a pair of a call and how many succeed before it."""

    create_schema = staticmethod(MilvusClient.create_schema)
    prepare_index_params = staticmethod(MilvusClient.prepare_index_params)

    def __init__(self):
        self.made = {}
        self.refuse, self.calls = None, []
        self.largest_page = self.most_unflushed = 0

    def asked(self, call):
        self.calls.append(call)
        name, after = self.refuse if isinstance(self.refuse, tuple) else (self.refuse, 0)
        if call == name and self.calls.count(call) > after:
            raise MilvusException(message=f"{call} refused")

    def get_server_version(self):
        return "2.3.5"

    def list_collections(self):
        return list(self.made)

    def has_collection(self, name):
        return name in self.made or any(name in one["aliases"] for one in self.made.values())

    def list_databases(self):
        return ["default"]

    def create_collection(
        self, name, schema, num_shards=1, consistency_level=2, properties=None, num_partitions=None
    ):
        self.asked("create_collection")
        assert name not in self.made
        described = schema.to_dict()
        self.made[name] = {
            "described": {
                "collection_name": name, "num_shards": num_shards, "consistency_level": consistency_level,
                "properties": properties or {}, "description": described["description"], "functions": [],
                "enable_dynamic_field": described["enable_dynamic_field"],
                "fields": [{**field, "type": DataType(field["type"])} for field in described["fields"]],
            },
            "partitions": {"_default": []}, "indexes": {}, "aliases": [], "replicas": 0, "unflushed": 0,
        }  # fmt: skip

    def describe_collection(self, name):
        self.asked("describe_collection")
        return copy.deepcopy(self.made[self.own_name(name)]["described"]) | {
            "collection_name": self.own_name(name),
            "aliases": list(self.made[self.own_name(name)]["aliases"]),
        }

    def own_name(self, name):
        return next((own for own, each in self.made.items() if name == own or name in each["aliases"]), name)

    def list_partitions(self, name):
        return list(self.made[name]["partitions"])

    def create_partition(self, name, partition):
        self.made[name]["partitions"][partition] = []

    def list_indexes(self, name):
        return list(self.made[name]["indexes"])

    def describe_index(self, name, index):
        return dict(self.made[name]["indexes"][index])

    def create_index(self, name, params):
        self.asked("create_index")
        for one in params:
            told = {**one.to_dict()}
            told |= told.pop("params", {})
            told["index_name"] = told.get("index_name") or told["field_name"]
            self.made[name]["indexes"][told["index_name"]] = told | {"state": "Finished", "total_rows": 3}

    def create_alias(self, name, alias):
        self.asked("create_alias")
        if any(alias in one["aliases"] for one in self.made.values()):
            raise MilvusException(message="alias exists")
        self.made[name]["aliases"].append(alias)

    def drop_alias(self, alias):
        for one in self.made.values():
            one["aliases"] = [name for name in one["aliases"] if name != alias]

    def alter_alias(self, name, alias):
        self.drop_alias(alias)
        self.made[name]["aliases"].append(alias)

    def get_load_state(self, name, partition=""):
        loaded = self.made[name]["replicas"] and partition not in self.made[name].get("unloaded", ())
        return {"state": LoadState.Loaded if loaded else LoadState.NotLoad}

    def load_partitions(self, name, partitions, timeout):
        self.made[name]["unloaded"] -= set(partitions)

    def release_partitions(self, name, partitions):
        self.made[name]["unloaded"] |= set(partitions)

    def describe_replica(self, name):
        return [None] * self.made[name]["replicas"]

    def load_collection(self, name, replica_number=1, _async=False):
        self.asked("load_collection")
        assert self.made[name]["indexes"]
        self.made[name]["replicas"] = replica_number

    def release_collection(self, name):
        self.made[name]["replicas"] = 0

    def drop_collection(self, name):
        self.asked("drop_collection")
        assert not self.made[name]["aliases"]
        del self.made[name]

    def rename_collection(self, old, new):
        self.asked("rename_collection")
        assert new not in self.made
        self.made[new] = self.made.pop(old)

    def insert(self, name, rows, partition_name=""):
        self.asked("insert")
        made = self.made[name]
        texts = [field["name"] for field in made["described"]["fields"] if field["type"] == DataType.JSON]
        rows = [{**row, **{text: json.loads(row[text]) for text in texts}} for row in rows]
        made["partitions"][partition_name or "_default"] += rows
        made["unflushed"] += len(rows)
        self.most_unflushed = max(self.most_unflushed, made["unflushed"])

    def flush(self, name):
        self.made[name]["unflushed"] = 0

    def get_collection_stats(self, name):
        return {"row_count": len(self.rows(name))}

    def query(self, name, filter, fields, consistency_level, partition_names=None, limit=None):
        self.asked("query")
        assert self.made[name]["replicas"], "Milvus reads only what is loaded"
        assert consistency_level == "Strong"
        wanted = partition_names or self.list_partitions(name)
        assert not set(wanted) & set(self.made[name].get("unloaded", ())), "partition not loaded"
        rows = [row for partition in wanted for row in self.made[name]["partitions"][partition]]
        rows = [row for row in rows if all(_holds(row, part) for part in filter.split(" and ") if part)]
        if fields == ["count(*)"]:
            return [{"count(*)": len(rows)}]
        page = sorted(rows, key=lambda row: row["id"])[:limit]
        page = list({row["id"]: row for row in page}.values())  # each key once, and only after the limit
        if len(fields) > 1 or fields == ["*"]:
            self.largest_page = max(self.largest_page, len(page))
        return page

    def rows(self, name):
        return [row for rows in self.made[name]["partitions"].values() for row in rows]

    def fill(self, name="cards", rows=250, replicas=3, dynamic=True):
        schema = self.create_schema(enable_dynamic_field=dynamic)
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=4)
        schema.add_field("title", DataType.VARCHAR, max_length=40)
        schema.add_field("facts", DataType.JSON)
        schema.add_field("years", DataType.ARRAY, element_type=DataType.INT32, max_capacity=4)
        self.create_collection(name, schema, num_shards=2)
        self.create_partition(name, "late")
        index = self.prepare_index_params()
        index.add_index("vector", index_type="HNSW", metric_type="IP", params={"M": 8})
        self.create_index(name, index)
        for key in range(rows):
            row = {"id": key, "vector": [0.5, key, 0.0, -1.0], "title": f"卡片 {key}", "facts": {"n": [key]},
                   "years": [key, 2026]} | ({"extra": key} if dynamic else {})  # fmt: skip
            self.made[name]["partitions"]["late" if key % 5 == 0 else "_default"].append(row)
        self.made[name]["replicas"] = replicas
        self.create_alias(name, f"{name}_alias")
        return copy.deepcopy(self.made[name])


def _holds(row, condition):
    key, compare, value = condition.split(" ", 2)
    compared = {">": operator.gt, ">=": operator.ge, "<=": operator.le, "in": lambda key, keys: key in keys}
    return compared[compare](row[key], json.loads(value))


@pytest.fixture
def milvus():
    return FakeMilvus()
