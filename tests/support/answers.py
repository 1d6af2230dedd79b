"""What the answers to every exercise are held to. A file of answers has a class of them, with its own cases:

class TestAnswers(Answers):
    NAME, WRONG, variant = "04-writing", WRONG, variant

The first test grades every submission of the file for all.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest

from halab.exercises.expectations import CheckFailed


@dataclass(frozen=True)
class Wrong:
    """An answer: the cells it replaces, and for each check it fails the hint it must get."""

    cells: Mapping[str, str]
    fails: Mapping[str, str] = field(default_factory=dict)


def hint_of(check: Callable[..., None], *arguments: Any) -> str:
    """The hint that a check gives to a wrong answer; a check that passes it fails the test."""
    with pytest.raises(CheckFailed) as caught:
        check(*arguments)
    return caught.value.hint


class Answers:
    """The solution, the release, the named answers and the answers of bo, a neighbour, in ada's name."""

    pytestmark: ClassVar = [pytest.mark.grading, pytest.mark.timeout(900)]

    NAME: ClassVar[str]
    WRONG: ClassVar[Mapping[str, Wrong]]
    PACKED: ClassVar = True  # graded together where tasks do not touch each other; else each by itself
    GIVEN: ClassVar[tuple[str, ...]] = ()  # tasks of which the release has a part written
    variant: ClassVar[Callable[[str], Any]]  # a learner's own numbers
    NEIGHBOUR_FAILS: ClassVar[tuple[str, ...]]  # checks, for which the neighbour's numbers are wrong

    @staticmethod
    def neighbour() -> Mapping[str, str]:
        """The cells of bo: right for bo, as constants."""
        raise NotImplementedError

    def pytest_generate_tests(self, metafunc):
        if "wrong" in metafunc.fixturenames:
            metafunc.parametrize("wrong", self.WRONG)

    @pytest.fixture(scope="class")
    @classmethod
    def graded(cls, grade_answers):
        """Every submission of this file."""
        wrong = {name: one.cells for name, one in cls.WRONG.items()}
        packed, alone = (wrong, {}) if cls.PACKED else ({}, wrong)
        return grade_answers(cls.NAME, "ada", packed, alone | {"neighbour": cls.neighbour()})

    def test_the_solution_earns_everything(self, graded):
        report = graded.reports["solution"]
        assert [check for check in report.checks if not check.passed] == []
        assert (report.points, report.out_of) == (20, 20)

    def test_the_exercise_as_handed_out_earns_nothing_and_says_so_kindly(self, graded):
        report = graded.reports["release"]
        assert report.points == 0
        assert report.notes == ()
        assert {check.behaviour for check in report.checks if check.task not in self.GIVEN} == {
            "Nothing is written here yet."
        }

    def test_a_named_answer_loses_what_it_should_and_gets_its_hint(self, graded, wrong):
        checks = graded.checks(wrong) if self.PACKED else graded.reports[wrong].checks
        fails = self.WRONG[wrong].fails
        assert {check.name: check.hint for check in checks if not check.passed} == fails
        assert sum(check.points for check in checks) == sum(
            check.out_of for check in checks if check.name not in fails
        )

    def test_a_neighbour_s_numbers_are_not_mine(self, graded):
        assert type(self).variant("ada") != type(self).variant("bo")
        failed = {check.name for check in graded.reports["neighbour"].checks if not check.passed}
        assert failed == set(self.NEIGHBOUR_FAILS)

    def test_a_failed_check_tells_the_behaviour_and_never_the_test(self, graded):
        reports = graded.reports.values()
        told = [check.behaviour for report in reports for check in report.checks if check.behaviour]
        assert told
        assert not [text for text in told if "checks." in text or "HIDDEN" in text or "Traceback" in text]
