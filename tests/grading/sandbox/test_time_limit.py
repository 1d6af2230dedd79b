"""How long a learner's code may take, with a machine that is told to be busy."""

import itertools

import pytest

from halab.grading.sandbox import time_limit
from halab.grading.sandbox.time_limit import TimeLimit, Usage


@pytest.mark.parametrize(
    ("cpu", "waiting", "under_way", "ran_out", "busy", "computed"),
    [
        (0.5, 0.0, 0.6, False, False, False),  # quick
        (0.5, 50.0, 50.6, False, False, False),  # quick on a busy machine
        (1.2, 0.0, 1.2, True, False, True),  # computes without end
        (1.2, 50.0, 51.2, True, True, True),  # the same on a busy machine: a core's time is a core's time
        (0.1, 0.0, 2.0, True, False, False),  # sleeps
        (0.1, 0.3, 2.0, True, False, False),  # sleeps, and had to wait once
        (0.4, 50.0, 52.0, True, True, False),  # nobody can tell
    ],
)
def test_who_is_to_blame_for_time_that_ran_out(monkeypatch, cpu, waiting, under_way, ran_out, busy, computed):
    monkeypatch.setattr(time_limit, "core_wait", lambda process: 0.0)
    used = itertools.chain([Usage(7.0, 3.0)], itertools.repeat(Usage(7.0 + cpu, 3.0 + waiting)))
    limit = TimeLimit(1.0, lambda: next(used))
    limit.under_way = under_way
    if ran_out:
        with pytest.raises(TimeoutError):
            limit.look()
    else:
        limit.look()
    assert limit.ran_out_on_a_busy_machine == busy
    assert limit.computed_too_long == computed
