"""The profile small, as a user brings it up, uses it and takes it down; after the others, and on its own."""

import pytest
from pymilvus import MilvusClient

pytestmark = [pytest.mark.compose, pytest.mark.timeout(360)]


def test_small_comes_up_answers_and_is_gone_after_down(user, room):
    user.types("compose", "--profile", "*", "down", "--volumes")
    assert user.left() == []
    user.types("compose", "--profile", "small", "up", "--detach", "--wait", "--wait-timeout", "240")
    assert len(user.containers()) == 11
    client = MilvusClient(f"http://127.0.0.1:{user.port}")
    client.create_collection("small", dimension=4, metric_type="L2", consistency_level="Strong")
    client.insert("small", [{"id": number, "vector": [number, 1, 0, 0]} for number in range(10)])
    assert [hit["id"] for hit in client.search("small", [[10.0, 1.0, 0.0, 0.0]], limit=2)[0]] == [9, 8]
    client.close()
    user.types("compose", "--profile", "*", "down", "--volumes")
    assert user.left() == []
