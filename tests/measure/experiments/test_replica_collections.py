"""Collections that differ in their replicas, made with a client that only remembers them."""

from types import SimpleNamespace

import numpy as np
import pytest
from pymilvus.client.types import LoadState
from pymilvus.grpc_gen import common_pb2

from halab.cluster.simulated import SimulatedCluster
from halab.errors import MeasurementError
from halab.measure.experiments import replica_collections
from halab.measure.experiments.replica_collections import ReplicaCollections, key_vector, questions
from support.scripted_milvus import ScriptedCluster


class FakeClient:
    """Keeps the names of collections, and how many replicas each was loaded with."""

    def __init__(self, uri, timeout):
        self.loaded = {}

    def has_collection(self, name):
        return name in self.loaded

    def describe_collection(self, name):
        return {"aliases": []}

    def create_collection(self, name, schema, num_shards):
        self.loaded[name] = 0

    def prepare_index_params(self):
        return SimpleNamespace(add_index=lambda *_, **__: None)

    def create_index(self, name, index):
        assert name in self.loaded

    def load_collection(self, name, replica_number, _async):
        self.loaded[name] = replica_number

    def get_load_state(self, name):
        return {"state": LoadState.Loaded if self.loaded[name] else LoadState.NotLoad}

    def query(self, name, *_, **__):
        return [{"count(*)": 0}]

    def release_collection(self, name):
        self.loaded[name] = 0

    def drop_collection(self, name):
        del self.loaded[name]

    def close(self):
        pass


class Cluster(ScriptedCluster):
    def components(self):
        return []


@pytest.fixture
def collections(monkeypatch):
    monkeypatch.setattr(replica_collections, "MilvusClient", FakeClient)
    with ReplicaCollections(Cluster("http://127.0.0.1:1"), (1, 3), rows=0) as made:
        yield made


def test_each_collection_is_loaded_with_its_replicas_and_dropped_in_the_end(collections):
    client = collections._client
    assert client.loaded == {"halab_load_1": 1, "halab_load_3": 3}
    assert [phase.settings["replicas"] for phase in collections.phases] == [1, 3]
    collections.__exit__(None)
    assert client.loaded == {}


def test_searches_look_for_vectors_that_no_row_has(collections):
    """Of 5000 rows none comes nearer to a question than chance: 0.5 is 5.7 standard deviations in 128
    dimensions, while a row's own vector has 1."""
    rows = np.array([key_vector(key) for key in range(5000)])
    requests = collections.search(3, vectors=20)._requests
    groups = [common_pb2.PlaceholderGroup.FromString(request.placeholder_group) for request in requests]
    asked = np.array([np.frombuffer(group.placeholders[0].values[0], np.float32) for group in groups])
    assert np.allclose(asked, questions(20))
    assert {request.collection_name for request in requests} == {"halab_load_3"}
    assert np.max(asked @ rows.T) < 0.5


def test_a_simulated_cluster_has_nothing_to_load():
    with pytest.raises(MeasurementError, match="no speed to measure"):
        ReplicaCollections(SimulatedCluster(), (1,), rows=0)
