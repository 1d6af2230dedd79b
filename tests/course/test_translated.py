"""Everything a learner reads is there in Chinese, as new as the English; translated code is Python."""

import ast
import json
import re

import pytest
import typer
from babel.messages.pofile import read_po

from halab import cli
from halab.commands.help_texts import help_texts
from halab.course.catalogue import exercises
from halab.course.notebook_translation import translate_notebook
from halab.course.paths import course_root
from halab.course.translation_check import gaps
from halab.grading.grader import Check
from halab.translation import CALLS, catalogue_path

NOTEBOOKS = [f"course/{path.name}" for path in sorted((course_root() / "course").glob("*.ipynb"))]
NOTEBOOKS += [exercise.exercise for exercise in exercises()]


def test_no_text_is_missing_or_stale_in_chinese():
    said = help_texts(typer.main.get_command(cli.app))
    assert [str(gap) for gap in gaps("zh", said)] == []


def test_no_message_stands_inside_an_f_string_where_it_is_not_extracted():
    package = course_root() / "src" / "halab"
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in package.rglob("*.py")}
    strings = [(path, each) for path, tree in trees.items() for each in ast.walk(tree)]
    strings = [(path, each) for path, each in strings if isinstance(each, ast.JoinedStr)]
    hidden = [
        f"{path.name}:{string.lineno}: {ast.unparse(call)}"
        for path, string in strings
        for call in ast.walk(string)
        if isinstance(call, ast.Call)
        and getattr(call.func, "id", "") in CALLS
        and isinstance(call.args[0], ast.Constant)
    ]
    assert hidden == []


def test_a_translator_reads_what_each_placeholder_stands_for():
    with catalogue_path("zh").open("rb") as file:
        texts = [str(message.id) for message in read_po(file)]  # of a plural both forms
    names = {name for text in texts for name in re.findall(r"(?<!\{)\{(\w+)", text)}
    assert [name for name in names if not re.fullmatch(r"[a-z]+(_[a-z]+)*|p99", name)] == []
    assert not names & {"value", "which", "words", "where", "float", "type", "str", "len", "int", "get"}


@pytest.mark.parametrize("relative", NOTEBOOKS)
def test_translated_code_is_python_and_the_way_back_leads_to_the_original(relative):
    original = json.loads((course_root() / relative).read_text(encoding="utf-8"))
    notebook = json.loads(json.dumps(original))
    translate_notebook(notebook, relative, "zh")
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and not source.startswith(("!", "%")):
            compile(source, relative, "exec")
    translate_notebook(notebook, relative, "en")
    for cell, before in zip(notebook["cells"], original["cells"], strict=True):
        assert "".join(cell["source"]) == "".join(before["source"])


def test_a_checks_title_is_told_in_the_language_of_who_reads_it():
    check = Check("06-1-blips", "06.1", "Separate blips stay separate", 2.0, 2.0)
    assert check.title_in("zh") == "两次短暂的中断，不并成一次"
    assert check.title_in("en") == check.title
