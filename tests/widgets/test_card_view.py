"""The card's widget: both languages go to the browser, and so does what was measured."""

import pytest

from halab.errors import CourseError
from halab.widgets.card_view import show_card


def test_it_carries_both_languages_and_opens_in_the_learners(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALAB_LANG", "zh")
    shown = show_card(6)
    assert shown.lang == "zh"
    assert set(shown.faces) == {"en", "zh"}
    assert [claim["id"] for claim in shown.faces["en"]["claims"]] == [
        claim["id"] for claim in shown.faces["zh"]["claims"]
    ]
    assert "<table>" in shown.faces["zh"]["html"]


def test_its_text_states_the_claims_but_not_the_verdicts() -> None:
    text = repr(show_card(6))
    assert "5–10 requests" in text
    assert "simplified" not in text
    assert "outdated" not in text


def test_a_measured_result_belongs_to_a_claim_of_the_card() -> None:
    assert show_card(6, measured={"failed-requests": "148 requests"}).measured == {
        "failed-requests": "148 requests"
    }
    with pytest.raises(CourseError, match="no claim called"):
        show_card(6, measured={"outage": "9 s"})


def test_a_card_that_is_not_written_is_an_error() -> None:
    with pytest.raises(CourseError):
        show_card(11)
