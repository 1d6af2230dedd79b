"""What is no answer passes no check of refusals: a function that always raises, or that returns one thing."""

import random

import pytest

from halab.exercises.architecture import checks as architecture
from halab.exercises.availability_maths import checks as availability_maths
from halab.exercises.expectations import CheckFailed, call_many
from halab.exercises.health_checks import checks as health_checks
from halab.exercises.health_checks.variant import make_impossible_goal
from halab.exercises.operate_it import checks as operate_it
from halab.exercises.operate_it import variant as operate_it_variant
from halab.exercises.rto_rpo import checks as rto_rpo
from halab.exercises.writing import checks as writing

TEXT = "availability availabilities period k beta slo operation"  # names whatever is asked to be named


def always_raises(*_, **__):
    raise ValueError(TEXT)


CHECKS = {
    "architecture": lambda lazy: architecture.check_refused(lazy, lazy),
    "rto_rpo": rto_rpo.check_refused,
    "writing": writing.check_refused,
    "operate_it": lambda lazy: operate_it.check_refused(
        lazy, [operate_it_variant.make_impossible_goal(random.Random(1))]
    ),
    "health_checks": lambda lazy: health_checks.check_refused(lazy, [make_impossible_goal(random.Random(1))]),
    **{
        name: lambda lazy, name=name: availability_maths.check_refused(lazy, name, "02.1.refused")
        for name in ("downtime", "parallel", "k_of_n", "common_cause", "burn_rate")
    },
}


@pytest.mark.parametrize("lazy", [always_raises, lambda *_: None, lambda *_: [], lambda *_: 0.0])
@pytest.mark.parametrize("check", CHECKS)
def test_a_lazy_answer_refuses_nothing(check, lazy):
    with pytest.raises((ValueError, CheckFailed)):
        CHECKS[check](lazy)


@pytest.mark.parametrize("answers", [[], None, [1], {"a": 1}, "12"])
def test_a_process_that_answers_other_than_it_was_asked_is_refused(answers):
    class Function:
        @staticmethod
        def calls(_, elsewhere):
            return answers

    with pytest.raises(TypeError, match="2 calls were not answered"):
        call_many(Function(), [(1,), (2,)])
