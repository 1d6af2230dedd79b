"""A rule that somebody wrote: what is wrong with it, and when it would have fired."""

import shutil

import pytest

from halab.errors import MeasurementError
from halab.monitoring.own_rule import read_rule, spans


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("alert: [", "no YAML"),
        ("up == 0", "one rule, with the keys alert and expr"),
        ("alert: Mine", "key expr is missing"),
        ("alert: Mine\nexpr: up == 0\nfort: 1m", 'Did you mean "for"'),
        ("alert: Mine\nexpr: up == 0\nfor: soon", "found soon"),
        ("alert: Mine\nexpr: up == 0\nexpr: up == 1", "the key expr is there twice"),
        ("alert: Mine\nexpr: up == 0\nlabels: page", "labels are names with values"),
        ("alert: Mine\nexpr: up == 0\nfor: 2026-13-01", "not what it is written as"),
        ("alert: Mine\nexpr: up == 0\nfor: !!bool maybe", "not what it is written as"),
        ("[" * 2000, "not what it is written as"),
        ("alert: Mine\nexpr: up == 0\nfor: " + "1" * 5000, "more than 4000 characters"),
        (None, "one rule, with the keys alert and expr"),
    ],
)
def test_what_is_no_rule_is_told_by_its_first_fault(text, words):
    with pytest.raises(MeasurementError, match=words):
        read_rule(text)


@pytest.mark.skipif(not shutil.which("promtool"), reason="needs promtool, of Debian's package prometheus")
def test_promtool_says_what_is_wrong_with_an_expression():
    with pytest.raises(MeasurementError, match=r"promtool says.*unclosed left paren") as error:
        read_rule("alert: Mine\nexpr: sum(up")
    assert "/tmp" not in str(error.value)


def test_a_rule_is_read_as_it_stands_in_a_file_and_pages_unless_it_says_otherwise():
    rule = read_rule("- alert: Mine\n  expr: up == 0\n  for: 1m30s\n")
    assert (rule.alert, rule.expr, rule.wait) == ("Mine", "up == 0", 90.0)
    assert "severity: page" in rule.file


def test_each_series_holds_by_itself_until_it_has_a_gap():
    series = [{"values": [[at, "1"] for at in times]} for times in ([0, 2, 4, 20, 22], [1, 3])]
    assert spans(series) == [(0, 4), (1, 3), (20, 22)]
