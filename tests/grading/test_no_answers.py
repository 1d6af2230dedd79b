"""What is no answer earns nothing from any check: it goes over the sandbox's wire, without a process."""

import math

import nbformat
import pytest
from nbgrader import utils

from halab.course.catalogue import exercises
from halab.course.paths import course_root
from halab.exercises.expectations import defined_names
from halab.grading.judge import Judge
from support.local_box import LocalBox

pytestmark = pytest.mark.grading

TEXT = "availability availabilities period k beta slo operation"  # names whatever is asked to be named


class Always:
    """Equal to everything, smaller and larger than everything, and in all else whatever is wanted."""

    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    def __lt__(self, other):
        return True

    __le__ = __gt__ = __ge__ = __contains__ = __lt__

    def __hash__(self):
        return 0

    def __bool__(self):
        return True

    def __len__(self):
        return 1

    def __iter__(self):
        return iter((self,))

    def __getitem__(self, key):
        return self

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *arguments, **keywords):
        return self


class AlwaysText(Always, str):
    pass


class AlwaysWhole(Always, int):
    pass


class AlwaysFloat(Always, float):
    pass


class AlwaysList(Always, list):
    pass


class AlwaysDict(Always, dict):
    pass


def raising(error):
    def answer(*arguments, **keywords):
        raise error

    return answer


def endless(*arguments, **keywords):
    while True:
        yield 0


NO_ANSWERS = {
    "raises ValueError": raising(ValueError(TEXT)),
    "raises TypeError": raising(TypeError(TEXT)),
    "raises AssertionError": raising(AssertionError()),
    "raises SystemExit": raising(SystemExit(0)),
    "raises KeyboardInterrupt": raising(KeyboardInterrupt()),
    "raises StopIteration": raising(StopIteration()),
    "raises BaseException": raising(BaseException("✓ passed")),
    "never ends": endless,
    "gives its argument": lambda *arguments, **_: arguments[0] if arguments else None,
    "gives its last argument": lambda *arguments, **_: arguments[-1] if arguments else None,
    "is its own result": Always(),
    **{
        f"gives {value!r}": lambda *_, value=value, **__: value
        for value in (None, True, 0, 1, -1, 0.5, math.nan, math.inf, "yes", [], (), {})
    },
    "gives 10 ** 4000": lambda *_: 10**4000,
    "gives 10 ** 5000": lambda *_: 10**5000,
    "gives lists in lists": lambda *_: [[[[[[]]]]]],
    **{
        f"gives what is {kind.__name__}": lambda *_, kind=kind: kind()
        for kind in (Always, AlwaysText, AlwaysWhole, AlwaysFloat, AlwaysList, AlwaysDict)
    },
    "gives many equal things": lambda *_: [Always()] * 1000,
}


@pytest.fixture(scope="module", params=[exercise.slug for exercise in exercises()])
def source(request):
    return nbformat.read(course_root() / "solutions" / request.param / f"{request.param}.ipynb", as_version=4)


@pytest.fixture(autouse=True)
def learner(monkeypatch):
    monkeypatch.setenv("HALAB_LEARNER", "ada")


@pytest.mark.parametrize("name", NO_ANSWERS)
def test_what_is_no_answer_earns_nothing(source, name):
    names = [
        defined for cell in source.cells if utils.is_solution(cell) for defined in defined_names(cell.source)
    ]
    box = LocalBox(dict.fromkeys(names, NO_ANSWERS[name]))
    judge = Judge(source, box)
    tests = [cell for cell in source.cells if utils.is_grade(cell)]
    passed = [cell.id for cell in tests if judge.verdict(cell, box.limit(60)) is None]
    if name == "gives its argument":  # the number of the attempt, in seconds, is a policy to wait by
        passed = [test for test in passed if test not in ("06-2-users", "06-2-load")]
    assert passed == []
