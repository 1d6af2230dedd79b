from types import SimpleNamespace

from halab.measure.experiments.replica_collections import ReplicaCollections


def test_searches_look_for_vectors_that_no_row_has():
    copies = ReplicaCollections.__new__(ReplicaCollections)
    copies.cluster, copies._names = SimpleNamespace(uri="http://127.0.0.1:1"), {1: "rows"}
    assert copies.search(1, vectors=3).name == "search"
