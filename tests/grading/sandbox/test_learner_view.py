"""The `halab` that a learner's code sees: what a notebook uses works, and no answer is in it."""

import contextlib
import pkgutil

import nbformat
import pytest
from nbgrader import utils

import halab
from halab.course.catalogue import exercises
from halab.course.paths import course_root
from halab.grading.environment_variables import temporary_environment
from halab.grading.judge import Judge, imported_modules
from halab.grading.sandbox.box import Sandbox

pytestmark = pytest.mark.grading

EXERCISES = [exercise.slug for exercise in exercises()]

# Answers that the course's own package holds, by the cell they would stand in: each is right where it works.
BORROWED = {
    "01-essence": {
        "01-1-works-answer": """
from halab.exercises.essence.variant import topology_from_dict
from halab.models import topology as model
def works(topology, operation, down):
    return model.works(topology_from_dict(topology), operation, down)
""",
        "01-3-spares-answer": """
from halab.models.topology import Role
from halab.models.topology import spares_needed as spares
def spares_needed(members, needed):
    return spares(Role(tuple(map(str, range(members))), needed))
""",
    },
    "02-availability-maths": {
        f"02-{cell}-answer": f"from halab.models.availability import {name}"
        for cell, name in (
            ("1-downtime", "downtime"),
            ("2-parallel", "parallel"),
            ("2-series", "series"),
            ("2-k-of-n", "k_of_n"),
            ("2-copies", "copies_needed"),
        )
    },
    "03-architecture": {
        "03-2-answer": """
from halab.models.quorum import majority as needed, smallest as fewest, tolerates as losses
""",
    },
    "04-writing": {
        "04-1-expected-answer": """
from halab.models.replication import Copy, kth_fastest
def expected(base, jitter, copies, needed):
    return kth_fastest(Copy(base, jitter), copies, needed)
""",
        "04-1-straggling-answer": "from halab.models.replication import straggling",
    },
    "05-reading": {
        "05-1-least-answer": """
from halab.sim import balancing_strategies
class LeastConnections:
    def __init__(self):
        self.strategy = balancing_strategies.LeastConnections()
    def pick(self, loads):
        names = list(loads)
        return names[self.strategy.pick(dict(enumerate(loads.values())), (0, 0))]
""",
        "05-3-flaw-answer": "from halab.exercises.reading.checks import right_flaw as flaw",
    },
    "06-failover-timeline": {
        "06-2-retry": """
from halab.models.retry_policy import RetryPolicy
retry = RetryPolicy(attempts=50, base=0.2, cap=4.0, deadline=deadline)
""",
    },
    "07-rto-rpo": {"07-2-interval-answer": "from halab.models.recovery import longest_interval"},
    "08-safety": {"08-1-make-answer": "from halab.exercises.safety.variant import make_backup as make"},
    "09-health-checks": {
        "09-1-late-answer": "from halab.models.health_probes import share_over as late",
        "09-3-changes-answer": "from halab.exercises.health_checks.checks import ready_changes as changes",
    },
    "10-drill": {
        "10-1-script-answer": "from halab.exercises.drill.variant import reference_script as script"
    },
    "11-operate-it": {"11-1-fires-answer": "from halab.exercises.operate_it.variant import firing as fires"},
    "12-rag-service": {
        "12-1-key-answer": """
from halab.rag.documents import Passage
def key(passage):
    return Passage(**passage).key
""",
    },
}


def source_of(name):
    return nbformat.read(course_root() / "solutions" / name / f"{name}.ipynb", as_version=4)


def passed(name, cells, verdict):
    """The tests of an exercise that pass by `verdict`, which says whether one does."""
    return {cell.id for cell in cells if utils.is_grade(cell) and verdict(cell)}


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def graded(sandbox):
    """Run code cells in a fresh box of an exercise: what each ended with, and the judge of it."""

    @contextlib.contextmanager
    def opened(name):
        source = source_of(name)
        with (
            temporary_environment(HALAB_LEARNER="ada"),
            sandbox.box("ada", imported_modules(source)) as box,
        ):
            yield source, box, Judge(source, box)

    return opened


@pytest.mark.parametrize("name", EXERCISES)
def test_everything_that_a_notebook_uses_is_there(graded, name):
    with graded(name) as (source, box, _):
        for cell in source.cells:
            if cell.cell_type == "code" and not utils.is_grade(cell):
                _, error = box.run(cell.source, box.limit(60))
                assert error is None, cell.id


@pytest.mark.parametrize("name", EXERCISES)
def test_an_answer_that_is_borrowed_from_the_course_earns_nothing(graded, name, monkeypatch):
    monkeypatch.setenv("HALAB_LEARNER", "ada")
    names = {}

    def passes_here(cell):
        with contextlib.suppress(Exception):
            exec(cell.source, names)
            return True

    for cell in source_of(name).cells:
        if cell.cell_type == "code" and utils.is_locked(cell) and not utils.is_grade(cell):
            exec(cell.source, names)
    for borrowed in BORROWED[name].values():
        exec(borrowed, names)
    cells = source_of(name).cells
    assert passed(name, cells, passes_here), "this is no answer any more: find another one"

    with graded(name) as (source, box, judge):
        for cell in source.cells:
            if cell.cell_type == "code" and utils.is_locked(cell) and not utils.is_grade(cell):
                box.run(cell.source, box.limit(60))
        for borrowed in BORROWED[name].values():
            _, (kind, text) = box.run(borrowed, box.limit(60))
            assert kind in ("ImportError", "ModuleNotFoundError")
            assert "while an exercise is graded" in text
        assert not passed(name, cells, lambda cell: judge.verdict(cell, box.limit(60)) is None)


def test_no_module_of_the_course_is_there_but_those_that_give(sandbox):
    """Nor is its source: neither where it lies, nor anywhere above or below what is shown."""
    modules = [module.name for module in pkgutil.walk_packages(halab.__path__, "halab.")]
    names = (
        "right_flaw",
        "reference_script",
        "cheapest_repair",
        "probes_reaching",
        "make_backup",
        "rules_reaching",
    )
    look = f"""
import gc, importlib, sys, types
for module in {modules!r}:
    try:
        importlib.import_module(module)
    except BaseException:
        pass
held = [one for one in gc.get_objects() if isinstance(one, types.FunctionType)]
print(sorted(module for module in sys.modules if module.startswith("halab.")))
print(sorted({{one.__name__ for one in held}} & set({names!r})))
try:
    print(open({halab.__file__!r}).read())
except OSError:
    print("closed")
"""
    with sandbox.box("ada") as box:
        outputs, error = box.run(look, box.limit(60))
    assert error is None
    there, held, source = "".join(one.text for one in outputs).splitlines()
    assert "halab.models.failover" in there
    for hidden in ("halab.models.availability", "halab.models.topology", "halab.exercises.learner_numbers"):
        assert hidden not in there
    assert "halab.models.retry_policy" not in there
    assert (held, source) == ("[]", "closed")
