import json
import subprocess
from dataclasses import asdict, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halab.models.recovery import DISASTERS, Need, Periodic, Setting, cheapest, strategies
from halab.widgets.recovery_planner import RecoveryPlanner, duration
from support.nodejs import node

MIRROR = """
import {age, strategies, cheapest, worst, duration} from "./recovery.mjs";
let text = "";
for await (const part of process.stdin) text += part;
console.log(JSON.stringify(JSON.parse(text).map(({setting, need, at}) => {
  const offered = strategies(setting);
  return {
    age: age(setting.interval, setting.takes, at),
    offered,
    best: cheapest(offered, need)?.name ?? null,
    worst: offered.map((one) => worst(one, need.disasters)),
    duration: duration(at),
  };
})));
"""

seconds = st.integers(0, 10**6).map(float)
some = st.integers(1, 10**6).map(float)
cases = st.tuples(
    st.builds(Setting, *[seconds] * 5, some, seconds, some, *[seconds] * 6),
    st.builds(Need, seconds, seconds, st.sets(st.sampled_from(sorted(DISASTERS)), min_size=1).map(sorted)),
    seconds,
)


def test_the_browser_s_numbers_are_those_of_the_model(tmp_path):
    (tmp_path / "recovery.mjs").write_text(RecoveryPlanner._esm)
    (tmp_path / "mirror.mjs").write_text(MIRROR)
    drawn = []

    @settings(max_examples=150, derandomize=True, database=None)
    @given(cases)
    def draw(case):
        drawn.append(case)

    draw()
    asked = [{"setting": asdict(setting), "need": asdict(need), "at": at} for setting, need, at in drawn]
    ran = subprocess.run(
        [node(), "mirror.mjs"],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )
    for (setting, need, at), found in zip(drawn, json.loads(ran.stdout), strict=True):
        offered = strategies(setting)
        best = cheapest(offered, need)
        assert found["age"] == pytest.approx(Periodic(setting.interval, setting.takes).age(at))
        assert [one["name"] for one in found["offered"]] == [one.name for one in offered]
        assert [one["cost"] for one in found["offered"]] == pytest.approx([one.cost for one in offered])
        for one, other in zip(found["offered"], offered, strict=True):
            assert one["recoveries"] == {
                name: [each.rto, each.rpo] for name, each in other.recoveries.items()
            }
        assert found["best"] == (best.name if best else None)
        assert found["worst"] == [worst(one, need.disasters) for one in offered]
        assert found["duration"] == duration(at)


def worst(strategy, disasters):
    found = [strategy.recoveries[one] for one in disasters if one in strategy.recoveries]
    if len(found) < len(disasters):
        return None
    return [max(one.rto for one in found), max(one.rpo for one in found)]


@pytest.mark.parametrize(
    ("time", "said"),
    [
        (0, "0 s"),
        (12, "12 s"),
        (90, "1 min 30 s"),
        (5400, "1 h 30 min"),
        (88200, "24 h 30 min"),
        (172800, "2 d"),
    ],
)
def test_a_time_is_said_in_the_unit_that_fits(time, said):
    assert duration(time) == said


def test_without_a_front_end_a_table_says_what_each_strategy_costs_and_which_fits():
    text = repr(RecoveryPlanner())
    assert "Cheapest that fits: warm standby." in text
    assert text.count("cheapest") == 1
    assert "a dash: not survived" in text
    assert "assumptions" in text


def test_the_text_follows_what_the_sliders_say():
    planner = RecoveryPlanner()
    planner.need = {"rto": 1.0, "rpo": 0.0, "disasters": ["site"]}
    assert "None of them fits." in planner.text()
    planner.need = {"rto": 86400.0, "rpo": 10 * 86400.0, "disasters": ["mistake"]}
    assert "Cheapest that fits: one cluster + backups." in planner.text()
    planner.setting = asdict(replace(Setting(), interval=60.0))
    assert "Cheapest that fits: one cluster + backups." in planner.text()
    assert "106120" in planner.text(), "525,600 backups a year have their price"
