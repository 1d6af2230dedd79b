import json
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halab.models.replication import Copy, parallel, quorum, serial, through_log
from halab.widgets.write_race import WriteRace
from support.nodejs import node

MIRROR = """
import {expected, race} from "./replication.mjs";
let text = "";
for await (const part of process.stdin) text += part;
console.log(JSON.stringify(JSON.parse(text).map(({s, draw}) => ({mean: expected(s), raced: race(s, draw)}))));
"""

cases = st.tuples(
    st.integers(1, 100),
    st.integers(0, 100),
    st.integers(1, 5).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n))),
    st.lists(st.floats(0, 0.999), min_size=6, max_size=6),
)


def test_the_browser_s_numbers_are_those_of_the_model_and_its_race_is_one_draw_of_them(tmp_path):
    (tmp_path / "replication.mjs").write_text(WriteRace._esm)
    (tmp_path / "mirror.mjs").write_text(MIRROR)
    drawn = []

    @settings(max_examples=100, derandomize=True, database=None)
    @given(cases)
    def draw(case):
        drawn.append(case)

    draw()
    asked = [
        {"s": {"base": base, "jitter": jitter, "copies": n, "needed": k}, "draw": shares}
        for base, jitter, (n, k), shares in drawn
    ]
    ran = subprocess.run(
        [node(), "mirror.mjs"], input=json.dumps(asked), capture_output=True, text=True, cwd=tmp_path,
        check=True,
    )  # fmt: skip
    for (base, jitter, (n, k), _), found in zip(drawn, json.loads(ran.stdout), strict=True):
        copy = Copy(base, jitter)
        ways = {
            "serial": serial(copy, n), "parallel": parallel(copy, n), "quorum": quorum(copy, n, k),
            "log": through_log(copy, n),
        }  # fmt: skip
        for way, write in ways.items():
            assert found["mean"][way] == pytest.approx([write.acknowledged, write.everywhere])
        raced = found["raced"]
        times = sorted(end for _, end in raced["parallel"]["bars"])
        assert raced["serial"]["acknowledged"] == pytest.approx(sum(times))
        assert raced["parallel"]["acknowledged"] == times[-1]
        assert raced["quorum"]["acknowledged"] == times[k - 1]
        assert raced["log"]["end"] == pytest.approx(raced["log"]["acknowledged"] + times[-1])


def test_without_a_front_end_a_table_says_what_each_way_takes():
    race = WriteRace()
    text = repr(race)
    assert "quorum, 2 of 3" in text
    assert "Milvus: through the log" in text
    assert "made up" in text
    before = race.expected()["Milvus: through the log"]
    race.copies = 5
    after = race.expected()["Milvus: through the log"]
    assert after.acknowledged == before.acknowledged
    assert after.everywhere > before.everywhere
