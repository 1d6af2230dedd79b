import json
import pickle
import random
from collections import deque

import numpy as np
import pytest

from halab.grading.sandbox import wire


class OwnList(list):
    pass


def there_and_back(value):
    sent = json.loads(json.dumps(wire.encode(value, lambda one: {"ref": 0, "type": type(one).__name__})))
    return wire.decode(sent, lambda one: one["type"])


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        -3,
        2.5,
        "text",
        b"\0\xff",
        [],
        (1, 2),
        {1, 2},
        frozenset({"a"}),
        {"a": [1], (1, 2): {"b": None}},
        {"ref": 1},
        {"set": [1]},
        [[(1, {2: {3}})]],
    ],
)
def test_data_comes_back_as_it_was(value):
    assert there_and_back(value) == value
    assert type(there_and_back(value)) is type(value)


@pytest.mark.parametrize("value", [deque([1, 2]), range(1, 3), {1: 0, 2: 0}.keys(), OwnList([1, 2])])
def test_what_is_as_good_as_a_list_comes_as_one(value):
    assert there_and_back(value) == [1, 2]


def test_numpy_comes_as_plain_numbers():
    assert there_and_back(np.array([[1, 2], [3, 4]])) == [[1, 2], [3, 4]]
    assert type(there_and_back(np.float64(1.5))) is float


def test_what_is_no_data_stays_where_it_is():
    assert there_and_back([len, object()]) == ["builtin_function_or_method", "object"]


@pytest.mark.parametrize(
    "sent",
    [{}, {"a": 1, "b": 2}, {"eval": "1"}, {"set": [[]]}, {"dict": [1]}, {"dict": [[[], 1]]}, {"bytes": 5}],
)
def test_made_up_data_is_an_error_that_can_be_caught(sent):
    with pytest.raises((ValueError, TypeError, KeyError)):
        wire.decode(sent, lambda one: None)


@pytest.mark.parametrize("body", [b"", b"[", b"\xff", b"[" * 100_000, b"9" * 5000])
def test_what_is_no_json_is_a_value_error(body):
    with pytest.raises(ValueError):  # noqa: PT011 - of several kinds
        wire.parse(body)


def test_the_length_of_a_message_is_known_from_its_head():
    message = bytearray(b"\0\0\1\0")
    assert wire.message_size(message[:3]) is None
    assert wire.message_size(message) == 256 + wire.HEAD


def test_too_deep_data_is_refused():
    deep = []
    for _ in range(200):
        deep = [deep]
    with pytest.raises(ValueError, match="levels of lists"):
        there_and_back(deep)


@pytest.mark.parametrize("number", [10**400, -(10**5000)], ids=["400 digits", "-5000 digits"])
def test_a_number_that_no_check_could_compare_is_refused(number):
    assert there_and_back(10**300) == 10**300
    with pytest.raises(OverflowError, match="more than 300 digits"):
        there_and_back([number])
    with pytest.raises(ValueError):  # noqa: PT011 - made up by a learner's process
        wire.decode([number], lambda one: None)


def test_a_generator_goes_over_with_another_state():
    dice = random.Random(1)
    copies = [pickle.loads(wire.pickle_for_learner(dice)) for _ in range(2)]
    assert copies[0].random() != copies[1].random()
    assert dice.random() not in {random.Random(1).random(), *(copy.random() for copy in copies)}


def test_text_for_a_terminal_is_text():
    assert (
        wire.printable("a\x1b[31mb\ud800\tc\n")
        == "a\N{REPLACEMENT CHARACTER}[31mb\N{REPLACEMENT CHARACTER}\tc\n"
    )
