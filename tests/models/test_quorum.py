import json
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halab.models.quorum import (
    Leadership,
    holds,
    leadership,
    majority,
    smallest,
    tolerates,
)

MEMBERS = st.integers(1, 200)


@given(MEMBERS)
def test_two_majorities_always_share_a_member_and_smaller_groups_need_not(members):
    assert 2 * majority(members) > members
    assert 2 * (majority(members) - 1) <= members


@pytest.mark.parametrize("members", range(1, 8))
def test_a_majority_is_what_meets_every_other_one(members):
    everybody = range(members)

    def all_meet(size):
        groups = [set(group) for group in combinations(everybody, size)]
        return all(one & other for one in groups for other in groups)

    assert majority(members) == next(size for size in range(1, members + 1) if all_meet(size))


@given(MEMBERS)
def test_what_is_tolerated_still_decides_and_one_loss_more_does_not(members):
    assert holds(members, members - tolerates(members))
    assert not holds(members, members - tolerates(members) - 1)


@given(MEMBERS)
def test_an_even_member_buys_nothing(members):
    assert tolerates(2 * members) == tolerates(2 * members - 1)


@given(st.integers(0, 100))
def test_the_smallest_stands_the_losses_and_one_less_does_not(losses):
    assert tolerates(smallest(losses)) == losses
    assert smallest(losses) == 1 or tolerates(smallest(losses) - 1) < losses


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (majority, (0,)),
        (tolerates, (-1,)),
        (smallest, (-1,)),
        (holds, (3, 4)),
        (holds, (3, -1)),
    ],
)
def test_what_makes_no_sense_is_refused(function, arguments):
    with pytest.raises(ValueError, match="must be"):
        function(*arguments)


def session(role, server):
    return json.dumps({"ServerID": server, "ServerName": role, "Address": f"127.0.0.1:{server}"})


def test_the_bare_key_tells_who_is_active_and_the_others_stand_by():
    sessions = {
        "rootcoord": session("rootcoord", 16),
        "rootcoord-15": session("rootcoord", 15),
        "rootcoord-16": session("rootcoord", 16),
        "rootcoord-9": session("rootcoord", 9),
        "datacoord-3": session("datacoord", 3),
        "querynode-4": session("querynode", 4),
        "id": "17",
        "broken": "{",
    }
    assert leadership(sessions) == {"datacoord": Leadership(None, (3,)), "rootcoord": Leadership(16, (9, 15))}
