"""The `halab` that a learner's code sees while it is graded: what an exercise gives, and no answer.

The course's own package holds answers: `checks` compares with them, `variant` makes numbers by them, `models`
is what several exercises ask for. So the sandbox has a copy of its own, with the modules below. Two things
that notebooks import stand in for others there: `variant` has what is given and makes nothing; `checks` and
the widgets do nothing, since the grader checks outside.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import halab

__all__ = ["write_view"]

_MODULES = (
    "errors",
    "folders",
    "tables",
    "translation",
    *(f"models/{name}" for name in ("failover", "faults", "probe_settings", "samples", "validation")),
    *(f"sim/{name}" for name in ("load_balancing", "retry_storm")),
    "exercises/other_hashes",
    "exercises/retry_picture",
    *(f"grading/sandbox/{name}" for name in ("confine", "host", "learner_process", "time_limit", "wire")),
)

_ABSENT = """
import sys


class _Absent:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.startswith("halab."):
            raise ModuleNotFoundError(
                f"{name} is not there while an exercise is graded: an answer has to stand in the notebook"
            )


sys.meta_path.append(_Absent)
"""

_STAND_IN = """
def does_nothing(*arguments, **keywords):
    pass


def __getattr__(name):
    if name.startswith("{what}_"):
        return does_nothing
    if name.startswith("__"):
        raise AttributeError(name)
    raise ImportError(
        f"{{name}} is not there while an exercise is graded: an answer has to stand in the notebook"
    )
"""


def write_view(folder: Path) -> None:
    """Write this package into an empty folder, for everybody to read."""
    course, view = Path(halab.__file__).parent, folder / "halab"
    exercises = [path.parent.name for path in sorted(course.glob("exercises/*/given.py"))]
    for module in (*_MODULES, *(f"exercises/{exercise}/given" for exercise in exercises)):
        (view / module).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(course / f"{module}.py", view / f"{module}.py")
    for exercise in exercises:
        given = f"from halab.exercises.{exercise}.given import *\n"
        (view / "exercises" / exercise / "variant.py").write_text(given + _STAND_IN.format(what="show"))
        (view / "exercises" / exercise / "checks.py").write_text(_STAND_IN.format(what="check"))
    (view / "locale").mkdir()
    (view / "widgets.py").write_text(_STAND_IN.format(what="show"))
    (view / "__init__.py").write_text(_ABSENT)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
