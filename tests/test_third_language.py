"""A third language is files alone: a folder in `locale/`, in `cards/` and in `course/`, and no code."""

import json

import pytest
import typer
from typer.testing import CliRunner

from halab import cli, translation
from halab.certificate.assessment import issue
from halab.certificate.certificate_page import page
from halab.certificate.check_page import check_page
from halab.certificate.signing_keys import own_key
from halab.commands.help_texts import translate_help
from halab.course.notebook_translation import translate_notebook
from halab.course.paths import course_root
from halab.lessons.failover_timeline import results
from halab.measure.journal.journal_file import Journal
from halab.translation import language, speaking
from halab.widgets.card_view import show_card
from halab.widgets.language_switch import LanguageSwitch
from halab.widgets.prediction_form import PredictionForm
from support.whole_course import learner_of, real_path, whole_course  # noqa: F401 - fixtures

MESSAGES = (
    "Certificate", "Check a certificate", "Tell RTO from RPO", "Lesson", "{number}. {title}", "RTO and RPO",
    "{bad} of {sent} failed", "{finding} (measured).", "Failed searches, of 20 a second",
    "Keep Milvus available",
)  # fmt: skip
LESSON = "course/06-failover-timeline.ipynb"
CARD = "06-failover-timeline.md"


@pytest.fixture
def esperanto(tmp_path, monkeypatch):
    """The course with files of a third language beside those that it has: of each kind a few."""
    real, root = course_root(), tmp_path / "with-esperanto"
    for folder in ("cards", "course", "locale"):
        there = translation._LOCALE if folder == "locale" else real / folder
        (root / folder).mkdir(parents=True)
        for path in there.iterdir():
            (root / folder / path.name).symlink_to(path)
        (root / folder / "eo").mkdir()
    for folder in ("exercises", "solutions", "docs"):
        (root / folder).symlink_to(real / folder)
    english = (real / "cards" / "en" / CARD).read_text()
    told = english.replace("language: en", "language: eo").replace("title: ", "title: ⟦", 1)
    (root / "cards" / "eo" / CARD).write_text(told)
    (root / "course" / "eo" / CARD).write_text("<!-- cell title 00000000 -->\n# ⟦titolo⟧\n")
    catalogue = root / "locale" / "eo" / "LC_MESSAGES" / "halab.po"
    catalogue.parent.mkdir()
    header = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n'
    catalogue.write_text(header + "".join(f'\nmsgid "{said}"\nmsgstr "⟦{said}⟧"\n' for said in MESSAGES))
    monkeypatch.setattr(translation, "_LOCALE", root / "locale")
    monkeypatch.setenv("HALAB_COURSE", str(root))
    monkeypatch.setenv("HALAB_WORK", str(tmp_path / "work"))
    yield "eo"
    translation._catalogue.cache_clear()


def test_the_switch_offers_it_by_its_own_name_and_the_command_speaks_it(esperanto, monkeypatch):
    assert LanguageSwitch().names == {"en": "English", "eo": "Esperanto", "zh": "中文"}
    monkeypatch.setenv("HALAB_LANG", esperanto)
    assert language() == esperanto
    told = CliRunner().invoke(cli.app, ["progress"], env={"COLUMNS": "300"}).output
    assert "⟦Lesson⟧" in told
    assert "⟦7. ⟦RTO and RPO⟧⟧" in told
    assert "⟦8. Availability is not safety⟧" in told  # which its catalogue does not have
    assert "Exercise" in told


def test_a_card_and_what_a_run_says_to_it_are_in_it_and_in_english_where_it_has_no_text(esperanto):
    recorded = Journal.load(course_root() / "docs" / "failover.jsonl")
    shown = show_card(6, measured=results(recorded))
    assert list(shown.faces) == ["en", "eo", "zh"]
    assert shown.faces["eo"]["title"] == f"⟦{shown.faces['en']['title']}"
    assert shown.faces["eo"]["name"] == "Esperanto"
    said = shown.measured["failed-requests"]
    assert said["by"]["eo"] == f"⟦{said['by']['en']}⟧"
    assert said["words"]["eo"].startswith("⟦⟦")
    assert "search, TTL" in said["words"]["eo"]
    untold = show_card(7).faces
    assert untold["eo"]["title"] == untold["en"]["title"]


def test_a_form_follows_the_switch_to_it(esperanto):
    form = PredictionForm(6, "crash active rootcoord")
    form.lang = esperanto
    assert [field["label"][:1] for field in form.fields] == ["F", "L", "⟦"]
    assert form.html_lang == esperanto


def test_a_lesson_is_in_it_cell_by_cell(esperanto):
    notebook = json.loads((course_root() / LESSON).read_text())
    english = ["".join(cell["source"]) for cell in notebook["cells"]]
    for told_in in (esperanto, "zh", esperanto):
        translate_notebook(notebook, LESSON, told_in)
    told = ["".join(cell["source"]) for cell in notebook["cells"]]
    assert told == ["# ⟦titolo⟧", *english[1:]]


def test_a_certificate_is_shown_in_it_and_signs_what_it_always_signed(esperanto, whole_course):  # noqa: F811
    issued = issue(whole_course.assess(), "Ada", own_key(), by_issuer=False)
    shown = page(issued, "c.json", esperanto)
    for said in ("Certificate", "Tell RTO from RPO", "Keep Milvus available"):
        assert f"⟦{said}⟧" in shown
    assert "Set health checks" in shown
    assert '<html lang="eo">' in shown
    assert "⟦Check a certificate⟧" in check_page(issued, esperanto)
    assert issued.record.items[6].model_dump()["zh"] == "分得清高可用和数据安全"
    assert "eo" not in issued.record.course.model_dump()


def test_help_is_in_english_where_it_has_none(esperanto):
    command = typer.main.get_command(cli.app)
    before = command.help
    with speaking(esperanto):
        translate_help(command)
    assert command.help == before
