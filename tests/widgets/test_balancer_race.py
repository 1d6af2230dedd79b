import json
import math
import random
import subprocess

import pytest

from halab.sim.balancing_strategies import STRATEGIES
from halab.sim.load_balancing import Node, race, requests
from halab.widgets.balancer_race import BalancerRace
from support.nodejs import node

MIRROR = """
import {race, scenario, standing, STRATEGIES} from "./balancing.mjs";
let text = "";
for await (const part of process.stdin) text += part;
const asked = JSON.parse(text);
console.log(JSON.stringify({
  raced: asked.map(({nodes, work}) =>
    Object.entries(STRATEGIES).map(([name, make]) => [name, race(nodes, work, make())])),
  late: standing([{at: 1, end: 2, ok: true}, {at: 2, end: 90, ok: true}, {at: 3, end: 4, ok: false}], 20),
  fair: scenario({load: 0.7, third: 0.5, event: "grey", seed: 3}),
}));
"""


def some(rng):
    """A race with nodes of every kind."""
    when = rng.uniform(1, 4)
    nodes = [Node(rng.uniform(10, 60)) for _ in range(rng.randint(1, 3))]
    nodes.append(Node(rng.uniform(10, 60), grey_at=when))
    nodes.append(Node(rng.uniform(10, 60), leaves_at=when))
    return nodes, requests(rng.uniform(30, 150), 6, rng.getrandbits(32))


def at(time):
    return None if time == math.inf else time


def test_the_browser_s_race_is_python_s_request_by_request(tmp_path):
    (tmp_path / "balancing.mjs").write_text(BalancerRace._esm)
    (tmp_path / "mirror.mjs").write_text(MIRROR)
    cases = [some(random.Random(seed)) for seed in range(10)]
    cases.append(([Node(20.0, leaves_at=2.0)], requests(30, 4, 1)))
    asked = [
        {
            "nodes": [
                {"speed": n.speed, "grey": n.grey, "greyAt": at(n.grey_at), "leavesAt": at(n.leaves_at)}
                for n in nodes
            ],
            "work": [{"at": one.at, "work": one.work, "draws": one.draws} for one in work],
        }
        for nodes, work in cases
    ]
    ran = subprocess.run(
        [node(), "mirror.mjs"], input=json.dumps(asked), capture_output=True, text=True, cwd=tmp_path,
        check=True,
    )  # fmt: skip
    told = json.loads(ran.stdout)
    for (nodes, work), found in zip(cases, told["raced"], strict=True):
        assert [name for name, _ in found] == list(STRATEGIES)
        for name, answers in found:
            right = race(nodes, work, STRATEGIES[name]()).answers
            assert [one["node"] for one in answers] == [one.node for one in right], name
            assert [one["ok"] for one in answers] == [one.ok for one in right], name
            assert [one["end"] for one in answers] == pytest.approx([one.end for one in right]), name
    # Of a race of 20 s no wait of 88 s is told, and no rate over 90 s.
    assert told["late"]["p99"] == {"seconds": 18, "over": True}
    assert told["late"]["p50"] == {"seconds": 1, "over": False}
    assert (told["late"]["rate"], told["late"]["failed"]) == (1 / 20, 1)
    fair = told["fair"]
    assert len(fair["work"]) / 20 == pytest.approx(0.7 * 125, rel=0.15)
    assert sum(one["work"] for one in fair["work"]) / len(fair["work"]) == pytest.approx(1, rel=0.15)


def test_without_a_front_end_a_table_says_how_each_strategy_did():
    widget = BalancerRace()
    text = repr(widget)
    assert all(name in text for name in STRATEGIES)
    assert "A simulation" in text
    assert widget.race()["least connections"].p99 < widget.race()["round robin"].p99
    widget.event = "grey"
    assert "over " in repr(widget), "at the end of the race some have no answer yet"
    widget.event = "leaves"
    assert any(one.failed for one in widget.race().values())
    assert "leaves in the middle" in " ".join(repr(widget).split())
