"""A made-up language that puts each translated text into brackets: what stays outside cannot be translated.

Names stay (operations by name in a title, components, faults, units); three English words in a row do not.
"""

import ast
import gettext
import re
from pathlib import Path

import pytest

import halab
from halab import certificate, classroom, errors, translation
from halab.cluster.doctor import doctor
from halab.course.paths import course_root
from halab.errors import HalabError
from halab.exercises.failover_timeline import checks
from halab.exercises.failover_timeline.variant import variant
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.plots import describe, plot
from halab.measure.journal.run_view import RunView, Said
from halab.measure.journal.summaries import repeat_summary, summary
from halab.models.availability import downtime
from halab.translation import CALLS
from halab.widgets import base
from halab.widgets.architecture_map import ArchitectureMap
from halab.widgets.availability_calculator import ChainCalculator, CopiesCalculator, PromiseCalculator
from halab.widgets.balancer_race import BalancerRace
from halab.widgets.cluster_view import ClusterView
from halab.widgets.drill_clock import DrillClock
from halab.widgets.language_switch import LanguageSwitch
from halab.widgets.probe_tuner import ProbeTuner
from halab.widgets.protection_table import ProtectionTable
from halab.widgets.recovery_planner import RecoveryPlanner
from halab.widgets.survival_map import SurvivalMap
from halab.widgets.timeline import FailoverTimeline
from halab.widgets.write_race import WriteRace

SENTENCE = re.compile(r"(?:\b[A-Za-z]{2,}\b,? ){2,}[a-z]{2,}")
FAULTS = re.compile(r"(?:crash|hang) (?:active|standby) rootcoord(?: \(rootcoord-\d\))?")


class Bracketed(gettext.NullTranslations):
    def gettext(self, message):
        return f"⟦{message}⟧"

    def pgettext(self, context, message):
        return f"⟦{message}⟧"

    def ngettext(self, singular, plural, number):
        return f"⟦{singular if number == 1 else plural}⟧"


@pytest.fixture(autouse=True)
def pseudo_locale(monkeypatch):
    monkeypatch.setattr(translation, "_catalogue", lambda chosen: Bracketed())


def outside(text):
    """What of a text is outside of every bracket, without HTML's own words."""
    text = re.sub(r"<style.*?</style>|<[^>]*>|<!--.*?-->", " ", text, flags=re.DOTALL)
    before = ""
    while before != text:
        before, text = text, re.sub(r"⟦[^⟦⟧]*⟧", "·", text)
    return FAULTS.sub("·", text)


def recording():
    return Journal.load(course_root() / "docs" / "failover.jsonl")


def refusal(call):
    with pytest.raises((HalabError, ValueError)) as caught:
        call()
    return str(caught.value)


def failed_check():
    with pytest.raises(AssertionError) as caught:
        checks.check_windows(lambda journal, operation: [], variant().one_outage)
    return caught.value.behaviour


def misspelt_fault():
    with halab.cluster("pseudo", engine="simulated") as made, made.fault("crsh", "active rootcoord"):
        pass


SAID = {
    "summary": lambda: repr(summary(recording())),
    "summary of repeats": lambda: repeat_summary([recording()] * 2)._repr_html_(),
    "plot": lambda: plot(recording())._repr_html_(),
    "plot in words": lambda: describe(recording()),
    "run": lambda: RunView(recording(), "search", Said(0.0, 5.0), None)._repr_html_(),
    "run in words": lambda: repr(RunView(recording(), "search", None, None)),
    "doctor": lambda: repr(doctor()),
    "a check": failed_check,
    "a model's refusal": lambda: refusal(lambda: downtime(1.5, 10.0)),
    "a fault's refusal": lambda: refusal(misspelt_fault),
    "drill clock": lambda: DrillClock().text(),
    "probe tuner": lambda: ProbeTuner().text(),
}


@pytest.mark.parametrize("what", SAID)
def test_no_sentence_stays_english(what):
    text = SAID[what]()
    assert "⟦" in text
    assert SENTENCE.findall(outside(text)) == []


def test_a_sentence_outside_is_found():
    assert SENTENCE.search(outside("<p>⟦{n}⟧ nobody is here</p>"))


def texts_outside(tree):
    """The texts in a tree of code that are in no call of gettext; · stands for what an f-string puts in."""
    marked = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in CALLS:
            marked |= {inner for argument in node.args for inner in ast.walk(argument)}
        elif isinstance(node, ast.Expr):  # a docstring, or a call whose value nobody takes
            marked |= {node.value} if isinstance(node.value, ast.Constant) else set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "·" for part in node.values)
            marked |= set(node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in marked:
            yield node.value


SAYING = [path for room in (certificate, classroom) for path in Path(room.__file__).parent.glob("*.py")]


@pytest.mark.parametrize("path", sorted(SAYING), ids=lambda path: path.stem)
def test_no_sentence_of_certificates_and_the_class_room_stays_english(path):
    texts = texts_outside(ast.parse(path.read_text("utf-8")))
    said = (text for text in texts if text[0:1].isupper() or text.endswith((".", "?")))
    assert [text for text in said if SENTENCE.search(text)] == []


def test_no_error_and_no_hint_stays_english():
    codes = (path.read_text("utf-8") for path in Path(halab.__file__).parent.rglob("*.py"))
    trees = (ast.parse(code) for code in codes if "raise " in code)
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    raised = [call for call in calls if getattr(call.func, "id", "") in errors.__all__]
    assert len(raised) > 300
    assert [text for call in raised for text in texts_outside(call) if SENTENCE.search(text)] == []


FRONT_ENDS = sorted(Path(base.__file__).parent.glob("*.js"))
# Comments, messages, the keys of objects, other strings: only the last can be a text that nobody translates.
CODE = re.compile(
    r"""//[^\n]*|/\*.*?\*/|\b[pn]?gettext\(\s*(?:"(?:[^"\\]|\\.)*",?\s*)+|"[^"\n]*":"""
    r"""|("(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`)""",
    re.DOTALL,
)


BEGUN_OR_COUNTED = re.compile(r"[A-Z][a-z]+ [a-z]|· (?:s|min|h|days?)\b")  # or a unit behind a number


@pytest.mark.parametrize("path", FRONT_ENDS, ids=lambda path: path.stem)
def test_no_sentence_of_a_front_end_stays_english(path):
    code = path.read_text("utf-8")
    names = set(re.findall(r'("[^"\n]*"):', code))
    texts = {match[1] for match in CODE.finditer(code) if match[1] and "halab-" not in match[1]}
    said = [re.sub(r"\$\{[^}]*\}", "·", text) for text in texts - names]
    assert [text for text in said if SENTENCE.search(text) or BEGUN_OR_COUNTED.search(text)] == []


WIDGETS = (
    ArchitectureMap, BalancerRace, ChainCalculator, ClusterView, CopiesCalculator, DrillClock,
    FailoverTimeline, LanguageSwitch, ProbeTuner, PromiseCalculator, ProtectionTable, RecoveryPlanner,
    SurvivalMap, WriteRace,
)  # fmt: skip


@pytest.mark.parametrize("made", WIDGETS)
def test_what_a_widget_is_sent_stays_english_in_no_sentence(made):
    widget = made()
    widget.lang = "zh"  # as the switch on the start page does to one that is shown
    names = ("_esm", "_css", "faults")  # no text, or names that the front end has words for
    sent = {name: value for name, value in widget.get_state().items() if name not in names}
    texts = list(strings_in(sent))
    assert any("⟦" in text for text in texts)
    assert [text for text in texts if SENTENCE.search(outside(text)) and "://" not in text] == []


def strings_in(value):
    """Every text in plain data, without what names it."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from strings_in(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from strings_in(each)
