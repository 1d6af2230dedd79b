"""The card's widget: both languages go to the browser, and so does what was measured."""

import pytest

from halab.errors import CourseError
from halab.translation import LazyText, gettext_lazy
from halab.widgets.card_view import Finding, show_card


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
    found = Finding("", LazyText("148 requests"))
    shown = show_card(6, measured={"failed-requests": found})
    assert shown.measured["failed-requests"]["words"]["en"] == "148 requests"
    assert shown.after
    assert not show_card(6).after
    with pytest.raises(CourseError, match="no claim called"):
        show_card(6, measured={"outage": found})


def test_a_card_that_is_not_written_is_an_error() -> None:
    with pytest.raises(CourseError):
        show_card(11)


def test_a_finding_has_a_verdict_of_its_own_in_both_languages() -> None:
    finding = Finding(
        "broken",
        gettext_lazy("{finding} (measured).", finding=12),
        gettext_lazy("Log killed"),
        (12.0,),
        (9.0,),
    )
    shown = show_card(7, measured={"replicas-rpo": finding}).measured["replicas-rpo"]
    assert (shown["verdict"], shown["by"]["zh"], shown["words"]["zh"]) == (
        "broken",
        "杀掉日志",
        "12（实测）。",
    )
    assert (shown["measured"], shown["predicted"]) == ((12.0,), (9.0,))


def test_what_is_not_so_in_milvus_is_called_so_and_a_setting_claims_nothing() -> None:
    verdicts = {claim["id"]: claim["verdict"] for claim in show_card(6).faces["zh"]["claims"]}
    assert (verdicts["missed-heartbeats"], verdicts["elected"]) == ("wrong", "wrong")
    assert verdicts["node-down"] == "given"
    copies = show_card(3).faces["en"]["claims"][2]
    assert (copies["id"], copies["verdict"], copies["tested"]) == ("coordinator-copies", "wrong", True)
