"""Each widget's module as the browser gets it: what is shared and its own text in one."""

import importlib
import re
import subprocess
from pathlib import Path

import pytest

from halab.measure.journal.marks import MARKS
from halab.widgets import base
from support.nodejs import node

OWN = sorted(path.stem for path in Path(base.__file__).parent.glob("*.js") if path.stem != "shared")


@pytest.mark.parametrize("name", OWN)
def test_a_widget_sends_its_own_text_and_what_is_shared(name):
    classes = vars(importlib.import_module(f"halab.widgets.{name}")).values()
    made = [one for one in classes if isinstance(one, type) and one.__module__ == f"halab.widgets.{name}"]
    sent = [one._esm for one in made if issubclass(one, base.CourseWidget)]
    assert set(sent) == {base.front_end(name)[0]}


@pytest.mark.parametrize("name", OWN)
def test_a_widget_names_its_language(name):
    """`panel`, which `Picture` calls, does it for most; the others build their own box."""
    own = (Path(base.__file__).parent / f"{name}.js").read_text("utf-8")
    assert any(part in own for part in (" panel(", "extends Picture", "htmlLang(", "face.html_lang"))


@pytest.mark.parametrize("name", OWN)
def test_no_name_of_a_widget_is_one_of_those_that_are_shared(name, tmp_path):
    (tmp_path / "module.mjs").write_text(base.front_end(name)[0])
    ran = subprocess.run([node(), "--check", "module.mjs"], cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def test_widgets_draw_the_marks_in_the_colours_of_the_plots():
    css = (Path(base.__file__).parent / "shared.css").read_text("utf-8")
    variables = dict(re.findall(r"(--halab-\w+): ([^;]+);", css))
    for kind, mark in MARKS.items():
        (variable,) = re.findall(rf"\.halab-mark-{kind} {{\s+stroke: var\((--halab-\w+)\);", css)
        assert variables[variable] == mark.css
