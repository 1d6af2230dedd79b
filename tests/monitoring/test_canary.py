import threading

import pytest
from prometheus_client import generate_latest
from pymilvus.exceptions import MilvusException

from halab.errors import MeasurementError
from halab.monitoring import canary as canary_module
from halab.monitoring.canary import ROWS, Canary


class Client:
    """Answers with the row whose vector is asked for, unless `answer` says otherwise."""

    def __init__(self):
        self.rows, self.answer, self.made = {}, None, []

    def has_collection(self, name):
        return name in self.made

    def create_collection(self, name, schema, num_shards):
        self.made.append(name)

    def prepare_index_params(self):
        return self

    def add_index(self, *_, **__): ...
    def create_index(self, *_): ...
    def load_collection(self, *_, **__): ...
    def close(self): ...

    def get_load_state(self, _):
        return {"state": canary_module.wait_until_loaded.__globals__["LoadState"].Loaded}

    def upsert(self, name, rows):
        self.rows |= {row["id"]: row["vector"] for row in rows}

    def search(self, name, vectors, limit, timeout):
        if self.answer is not None:
            return self.answer()
        return [[{"id": key} for key, vector in self.rows.items() if vector == vectors[0]]]


@pytest.fixture
def client(monkeypatch):
    client = Client()
    monkeypatch.setattr(canary_module, "MilvusClient", lambda *_, **__: client)
    return client


@pytest.fixture
def canary(client):
    canary = Canary("http://127.0.0.1:1", every=0.001)
    canary.prepare()
    return canary


def counts(canary):
    return [
        canary.registry.get_sample_value(f"halab_canary_{name}")
        for name in ("asked_total", "answered_total", "found_total", "latency_seconds_count")
    ]


def refuse():
    raise MilvusException(message="no")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (None, [1, 1, 1, 1]),
        (lambda: [[]], [1, 1, 0, 1]),
        (lambda: [[{"id": 999}]], [1, 1, 0, 1]),
        (refuse, [1, 0, 0, 0]),
    ],
)
def test_asked_answered_and_found_are_three_things(canary, client, answer, expected):
    client.answer = answer
    told = canary.ask()
    assert counts(canary) == expected
    assert (told.answered, told.found) == (bool(expected[1]), bool(expected[2]))
    assert bool(told.error) is not told.answered
    assert canary.last is told


def test_each_row_is_asked_for_in_its_turn(canary):
    assert all(canary.ask().found for _ in range(2 * ROWS))


def test_preparing_twice_leaves_each_row_once(canary, client):
    canary.prepare()
    assert (len(client.rows), client.made) == (ROWS, ["halab_canary"])


def test_it_asks_until_it_is_told_to_stop(canary):
    stop = threading.Event()
    thread = threading.Thread(target=canary.run, args=(stop,))
    thread.start()
    while counts(canary)[0] < 3:
        pass
    stop.set()
    thread.join(timeout=10)
    assert not thread.is_alive()


def test_the_names_are_those_of_the_rules(canary):
    text = generate_latest(canary.registry).decode()
    assert "halab_canary_asked_total" in text
    assert "halab_canary_found_total" in text


def test_a_milvus_that_refuses_is_told(client, monkeypatch):
    monkeypatch.setattr(client, "upsert", lambda *_: refuse())
    with pytest.raises(MeasurementError, match="was not made: no"):
        Canary("http://127.0.0.1:1").prepare()
