"""A notebook changes its language cell by cell, and what a learner wrote stays."""

import json

import pytest

from halab.course import translation_check
from halab.course.notebook_translation import (
    fingerprint,
    read_texts,
    texts_in,
    texts_path,
    translate_notebook,
    translated_hint,
)
from halab.errors import CourseError

LESSON = "course/06-failover-timeline.ipynb"
EXERCISE = "exercises/06-failover-timeline/06-failover-timeline.ipynb"
TITLE = "# The failover timeline"
CODE = """def rto(journal):
    '''Seconds to an answer.'''
    # the first lasting one
    return "first lasting"
"""


def cell(name, source, kind="markdown"):
    return {"id": name, "cell_type": kind, "source": source, "metadata": {}}


@pytest.fixture
def lesson(course):
    """A lesson of two cells in English and Chinese; returns a function that gives a new copy of it."""
    for exercise in (course / "exercises").iterdir():
        (course / "solutions" / exercise.name / "hints.yml").write_text("{}")
    cells = [cell("title", TITLE), cell("rto", CODE, "code")]
    (course / LESSON).write_text(json.dumps({"cells": cells}))
    path = texts_path(LESSON, "zh")
    path.parent.mkdir(parents=True)
    path.write_text(
        f"<!-- cell title {fingerprint(TITLE)} -->\n# 故障转移的时间线\n\n"
        "<!-- code rto -->\n- Seconds to an answer.\n  等到回答的秒数。\n"
        "- the first lasting one\n  第一个稳定的回答\n"
        "- first lasting\n  first lasting\n"
    )
    return lambda: json.loads((course / LESSON).read_text())


def sources(notebook):
    return [cell["source"] for cell in notebook["cells"]]


def test_there_and_back(lesson):
    notebook = lesson()
    translate_notebook(notebook, LESSON, "zh")
    assert sources(notebook) == [
        "# 故障转移的时间线",
        CODE.replace("Seconds to an answer.", "等到回答的秒数。").replace(
            "the first lasting one", "第一个稳定的回答"
        ),
    ]
    translate_notebook(notebook, LESSON, "en")
    assert notebook == lesson()


def test_what_a_learner_changed_stays_in_every_language(lesson):
    notebook = lesson()
    notebook["cells"][0]["source"] += "\nmy note"
    notebook["cells"].append(cell("mine", TITLE))
    mine = sources(notebook)[0], sources(notebook)[2]
    translate_notebook(notebook, LESSON, "zh")
    assert (sources(notebook)[0], sources(notebook)[2]) == mine


def test_only_comments_and_strings_are_translated():
    code = 'copies = 3  # copies in all\nprint(f\'{copies} copies, in all\', """two\n    lines""")'
    assert [code[begin:end] for begin, end in texts_in(code)] == [
        "copies in all",
        "{copies} copies, in all",
        "two",
        "lines",
    ]
    assert texts_in("def (") == texts_in("'''open") == []


def test_a_changed_english_is_stale_and_a_missing_section_is_named(lesson, course):
    def found():
        return [(gap.name, gap.state) for gap in translation_check.gaps("zh") if gap.path.stem[:2] == "06"]

    assert found() == []
    (course / LESSON).write_text((course / LESSON).read_text().replace(TITLE, "# Another"))
    assert found() == [("title", "stale")]
    assert translation_check.accept(texts_path(LESSON, "zh")) == 1
    assert found() == []
    texts_path(LESSON, "zh").write_text("<!-- cell gone 00000000 -->\ntext\n")
    assert found() == [("title", "missing"), ("rto", "missing"), ("gone", "extra")]
    translation_check.add_missing("zh")
    assert read_texts(texts_path(LESSON, "zh")).cell["title"].text == "# Another"
    assert found() == [("title", "stale"), ("gone", "extra")]  # added in English, and not yet accepted


def test_a_hint_has_as_many_steps_in_every_language(lesson):
    path = texts_path(EXERCISE, "zh")
    path.write_text("<!-- hint 06.1.rto 00000000 -->\n- 一\n- 二\n- 三\n\n<!-- hint 06.1.end -->\n- 一\n")
    english = ["a", "b", "c"]
    assert translated_hint(EXERCISE, "06.1.rto", english, "zh") == ["一", "二", "三"]
    assert translated_hint(EXERCISE, "06.1.end", english, "zh") == english
    assert translated_hint(EXERCISE, "06.1.rto", english, "en") == english


def test_a_file_of_texts_with_two_sections_of_a_name_or_none_is_refused(tmp_path):
    twice, before = tmp_path / "twice.md", tmp_path / "before.md"
    twice.write_text("<!-- cell a -->\nx\n<!-- cell a -->\ny\n")
    before.write_text("text\n<!-- cell a -->\nx\n")
    with pytest.raises(CourseError, match="line 3: there is a second section cell a"):
        read_texts(twice)
    with pytest.raises(CourseError, match="belongs to no section"):
        read_texts(before)
