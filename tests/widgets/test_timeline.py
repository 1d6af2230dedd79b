import base64

import pytest

from halab.measure.journal.outage import rto
from halab.models.failover import CARD, MILVUS, Failover, Heartbeats, Lease
from halab.models.retry_policy import RetryPolicy
from halab.sim.failover_requests import simulate
from halab.widgets.timeline import (
    FailoverTimeline,
    closed_form,
    failed_and_late,
    from_controls,
    lane,
    to_controls,
)


def test_it_starts_with_the_cards_own_timeline() -> None:
    widget = FailoverTimeline()
    assert widget.card == {"down": 0, "missed": 3, "detected": 5, "elected": 8, "serving": 10, "back": 12}
    assert widget.timeline == CARD.timeline()
    assert widget.settings == CARD


@pytest.mark.parametrize("settings", [CARD, MILVUS, Failover(Heartbeats(2, 5, 0), 1, 2, 3, 4, 5, True)])
def test_settings_survive_the_way_to_the_sliders_and_back(settings: Failover) -> None:
    assert from_controls(to_controls(settings, "crash", RetryPolicy(), 2, 1)) == settings


def test_the_simulated_lane_follows_the_sliders() -> None:
    widget = FailoverTimeline(MILVUS)
    before = widget.simulated["lane"]["phases"]["back"]
    widget.controls = {**widget.controls, "ttl": 30.0}
    assert widget.simulated["controls"] == widget.controls
    assert widget.simulated["lane"]["phases"]["back"] > before + 5
    assert widget.settings.detector == Lease(30.0)


def test_the_simulated_lane_retries_as_the_sliders_say() -> None:
    widget = FailoverTimeline(MILVUS)
    failed = [sample for sample in widget.simulated["lane"]["samples"] if sample[2] == "fail"]
    widget.controls = {**widget.controls, "attempts": 9, "base": 1.0, "retry_deadline": 60.0}
    assert failed
    assert not [sample for sample in widget.simulated["lane"]["samples"] if sample[2] == "fail"]


def test_a_lane_is_plain_data_that_starts_at_the_fault() -> None:
    run = simulate(seed=2, at=5.0)
    drawn = lane("Rehearsal", run.samples, at=5.0, simulated=True, phases=run.timeline)
    assert min(sample[0] for sample in drawn.samples) == -5
    assert {sample[2] for sample in drawn.samples} <= {"ok", "fail", "unknown"}
    assert drawn.phases["back"] == run.timeline.back
    operation, seconds = drawn.back or ("", 0.0)
    assert operation == "search"
    assert seconds == pytest.approx(rto([s for s in run.samples if s.operation == "search"], 5.0), abs=0.001)


def test_measured_and_simulated_lanes_wear_their_word() -> None:
    samples = simulate(seed=2, at=5.0).samples
    widget = FailoverTimeline(
        lanes=[lane("Mine", samples, at=5, simulated=False), lane("Made", samples, at=5, simulated=True)]
    )
    table = widget.text()
    assert "Mine (measured)" in table
    assert "Made (simulated)" in table
    assert "Simulated," in table
    assert (table.count("(simulated)"), table.count("(measured)")) == (2, 1), "each lane wears its word"


def test_without_a_front_end_a_picture_and_a_table_stand_in() -> None:
    bundle, _ = FailoverTimeline(MILVUS)._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    image = bundle["text/html"].split("base64,")[1].split('"')[0]
    assert b"<svg" in base64.b64decode(image)
    lines = bundle["text/plain"].splitlines()
    assert [word for word in lines[3].split() if word[0].isdigit()] == ["3.0", "5.0", "8.0", "10.0", "12.0"]


def test_retries_turn_failed_requests_into_late_ones() -> None:
    controls = FailoverTimeline(CARD, retry=RetryPolicy(attempts=4, base=1, cap=5, deadline=20)).controls
    assert failed_and_late({**controls, "attempts": 1}, closed_form(controls).outage) == (24, 0)
    assert failed_and_late(controls, closed_form(controls).outage) == (10, 14)


def test_todays_settings_are_the_documented_ones() -> None:
    widget = FailoverTimeline()
    settings = [from_controls(widget.presets[f"Milvus {each['patches']}"]) for each in widget.documented]
    assert [each.detector for each in settings] == [Lease(10.0), Lease(30.0), Lease(15.0)]
    late = settings[-1]
    assert late.timeline("stop").outage < 5 < 10 < late.outage("crash").least, "a planned stop gives it back"
    assert all(each["source"].startswith("https://") for each in widget.documented)


def test_in_chinese_its_words_are_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALAB_LANG", "zh")
    widget = FailoverTimeline()
    assert widget.lang == "zh"
    assert "卡片的说法 (卡片)" in widget.text()
    assert "failed" not in widget.text()
    assert widget.speech[next(iter(widget.presets))] == "卡片的配置"
    ticks = widget.figure().axes[0].get_yticklabels()
    assert "卡片的说法" in next(tick.get_text() for tick in ticks)  # whoever shows the SVG has the letters
