"""Grading beside others and alone: nobody is beside whoever is alone, and who waits for that gets there."""

import threading

import pytest

from halab.grading.sandbox.turns import alone, beside_others


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HALAB_CACHE", str(tmp_path))


def entered(turn, seen, name):
    def wait():
        with turn():
            seen.append(name)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


def test_several_grade_beside_each_other():
    with beside_others(), beside_others():
        pass


def test_who_waits_to_be_alone_comes_before_who_came_later():
    seen = []
    with beside_others():
        first = entered(alone, seen, "alone")
        first.join(0.3)  # by now it waits in the way of others
        second = entered(beside_others, seen, "later")
        second.join(0.3)
        assert seen == []
    first.join(30)
    second.join(30)
    assert seen == ["alone", "later"]


def test_nobody_is_beside_whoever_is_alone():
    seen = []
    with alone():
        thread = entered(beside_others, seen, "later")
        thread.join(0.3)
        assert seen == []
    thread.join(30)
    assert seen == ["later"]
