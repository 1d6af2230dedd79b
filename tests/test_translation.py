"""Which language a learner reads, and that its catalogue fits the code."""

import os

import pytest

from halab import translation
from halab.errors import CourseError
from halab.translation import (
    gettext,
    gettext_lazy,
    language,
    languages,
    ngettext,
    pgettext_lazy,
    remember_language,
)


@pytest.fixture(autouse=True)
def nobody_chose(course, monkeypatch):
    """A course of its own in which nobody chose a language, on a system that speaks English."""
    for name in ("HALAB_LANG", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")


def test_the_choice_counts_before_the_system_and_the_variable_before_both(monkeypatch):
    assert language() == "en"
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert language() == "zh"
    monkeypatch.setenv("LC_ALL", "fr_FR")
    assert language() == "en"
    remember_language("zh")
    assert language() == "zh"
    monkeypatch.setenv("HALAB_LANG", "en")
    assert language() == "en"


def test_what_is_no_language_of_the_course_is_refused_or_passed_over(monkeypatch, course):
    with pytest.raises(CourseError, match="en, zh, not 'tlh'"):
        remember_language("tlh")
    (course / "work" / ".halab").mkdir(parents=True, exist_ok=True)
    (course / "work" / ".halab" / "language").write_bytes(b"\xff\xff")
    assert language() == "en"
    (course / "work" / ".halab" / "language").unlink()
    os.mkfifo(course / "work" / ".halab" / "language")
    assert language() == "en"
    monkeypatch.setenv("HALAB_LANG", "tlh")
    with pytest.raises(CourseError, match="en, zh"):
        language()


def test_a_third_language_is_a_folder(monkeypatch, tmp_path):
    catalogue = tmp_path / "locale" / "xx" / "LC_MESSAGES" / "halab.po"
    catalogue.parent.mkdir(parents=True)
    catalogue.write_text('msgid "no fault"\nmsgstr "⟦no fault⟧"\n')
    monkeypatch.setattr(translation, "_LOCALE", tmp_path / "locale")
    assert languages() == ("en", "xx")
    remember_language("xx")
    assert gettext("no fault") == "⟦no fault⟧"
    assert gettext("not in the catalogue") == "not in the catalogue"
    remember_language("en")
    assert gettext("no fault") == "no fault"
    assert [ngettext("{n} run", "{n} runs", n) for n in (1, 2)] == ["{n} run", "{n} runs"]


def test_a_text_made_before_it_is_shown_speaks_to_whoever_reads_it_then(monkeypatch):
    inner = gettext_lazy("Log killed")
    text = gettext_lazy(
        "{disaster}: {share} of the unflushed rows missing", disaster=inner, share=lambda: "5 %"
    )
    assert str(text) == "Log killed: 5 % of the unflushed rows missing"
    monkeypatch.setenv("HALAB_LANG", "zh")
    assert str(text) == text.in_every_language()["zh"] == "杀掉日志：没落盘的行丢了 5 %"
    assert text.in_("en").startswith("Log killed")
    assert (str(pgettext_lazy("unit", "questions")), gettext("questions")) == ("次", "提问")
