"""The solutions pass their own tests, hidden ones too, without a sandbox: a slip here is seen in seconds."""

import json

import pytest

from halab.course.catalogue import exercises
from halab.course.paths import course_root
from halab.exercises.expectations import same


@pytest.mark.parametrize("slug", [exercise.slug for exercise in exercises()])
def test_a_solution_passes_every_test_of_its_exercise(slug, monkeypatch):
    monkeypatch.setenv("HALAB_LEARNER", "ada")
    cells = json.loads((course_root() / "solutions" / slug / f"{slug}.ipynb").read_text())["cells"]
    names: dict[str, object] = {}
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    *answers, last = ["".join(cell["source"]) for cell in code]
    for cell, source in zip(code, answers, strict=False):
        exec(compile(source, cell["id"], "exec"), names)
    for check in vars(names["checks"]).values():
        if made := getattr(check, "example", None):
            function, arguments, gives = made
            assert same(names[function](*arguments), gives), check.__name__
    assert last == f"from halab.widgets import show_grade_panel\n\nshow_grade_panel({int(slug[:2])})"
