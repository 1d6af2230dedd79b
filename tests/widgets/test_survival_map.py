"""The survivability map without a browser; its sums in JavaScript are run by node."""

import base64
import json
import random
import subprocess
from dataclasses import asdict

import pytest
import traitlets

from halab.cluster.profiles import PROFILES
from halab.cluster.protocol import Component
from halab.cluster.simulated import SimulatedCluster
from halab.errors import CourseError
from halab.models.milvus_versions import ARCHITECTURES
from halab.models.survival import OPERATIONS, Member, members, single_losses, verdicts
from halab.widgets import survival_map
from halab.widgets.survival_map import SurvivalMap, parts_of
from support.nodejs import node

SCRIPT = """
import { readFileSync } from "node:fs";
const { verdicts, singleLosses, edited } = await import(process.argv[1]);
const { facts, cases, edits } = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify({
  found: cases.map((cluster) => [verdicts(facts, cluster), singleLosses(facts, "search", cluster)]),
  edited: edits.map(({ parts, box, change }) => edited(parts, box, change)),
}));
"""


def in_javascript(cases=(), edits=(), version="2.3.5"):
    """What the widget's own module works out for these cases."""
    module = "data:text/javascript;base64," + base64.b64encode(SurvivalMap._esm.encode()).decode()
    facts = [asdict(fact) for fact in ARCHITECTURES[version].facts]
    given = {"facts": facts, "cases": list(cases), "edits": list(edits)}
    ran = subprocess.run(
        [node(), "--input-type=module", "-e", SCRIPT, module],
        input=json.dumps(given), capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return json.loads(ran.stdout)


def drawn(rng, version):
    parts = members({role: rng.randrange(0, 5) for role in ARCHITECTURES[version].roles})
    down = rng.sample([part.name for part in parts], rng.randrange(0, min(len(parts), 6) + 1))
    return parts, down, rng.randrange(1, 6), rng.random() < 0.5


@pytest.mark.parametrize("version", ARCHITECTURES)
def test_the_browser_judges_as_python_does(version):
    rng, facts = random.Random(11), ARCHITECTURES[version].facts
    cases = [drawn(rng, version) for _ in range(100)]
    given = [
        {"parts": [asdict(part) for part in parts], "down": down, "copies": copies, "switch": switch}
        for parts, down, copies, switch in cases
    ]
    for (parts, down, copies, switch), (found, alone) in zip(
        cases, in_javascript(given, version=version)["found"], strict=True
    ):
        expected = verdicts(parts, down, copies, switch=switch, facts=facts)
        assert found == [json.loads(json.dumps(asdict(one))) for one in expected]
        assert tuple(alone) == single_losses(parts, "search", copies, switch=switch, facts=facts)


def test_an_edit_in_the_browser_keeps_names_unique_and_one_leader():
    parts = [asdict(part) for part in members(PROFILES["ha"])]
    edits = [{"parts": parts, "box": role, "change": change}
             for role in ("querycoord", "querynode", "log", "proxy") for change in (1, -1)]  # fmt: skip
    found = in_javascript(edits=edits)["edited"]
    for edit, after in zip(edits, found, strict=True):
        assert len(after) == len(parts) + edit["change"]
        assert len({part["name"] for part in after}) == len(after)
        led = [part for part in after if part["role"] == "querycoord" and part["leads"]]
        assert len(led) == 1
    names = [{part["name"] for part in after} for after in found]
    assert "querynode-4" in names[2]
    assert "log-2" in names[4]


def test_every_reason_is_told_in_the_learners_language(monkeypatch):
    monkeypatch.setenv("HALAB_LANG", "zh")
    shown = [fact for choice in SurvivalMap("small").architectures.values() for fact in choice["facts"]]
    assert all(fact["why"].endswith("。") for fact in shown)


def test_it_shows_a_cluster_as_it_runs():
    cluster = SimulatedCluster("lab", "ha", 10)
    shown = SurvivalMap(cluster)
    assert shown.source == {"kind": "cluster", "name": "lab", "engine": "simulated"}
    assert "in thought: nothing is killed here" in shown.text()
    assert {part["name"] for part in shown.parts} == {one.name for one in cluster.components()}
    led = {part["name"] for part in shown.parts if part["leads"]}
    assert cluster.active("rootcoord").name in led
    assert cluster.active("etcd").name in led


def test_the_first_proxy_is_the_one_that_clients_talk_to():
    proxies = [Component(f"proxy-{n}", "proxy", "", None, "healthy") for n in (2, 1)]
    assert parts_of(proxies) == (Member("proxy-1", "entry"), Member("proxy-2", "proxy"))


def test_it_says_the_same_as_text():
    text = SurvivalMap("ha", down=["rootcoord-1", "log"]).text()
    assert "rootcoord-1, log" in text
    assert all(operation in text for operation in OPERATIONS)
    assert "An insert is an entry in the log." in " ".join(text.split())
    assert "Lost alone, these stop a search: log, proxy-1." in " ".join(text.split())
    assert SurvivalMap({"proxy": 1}).copies == 1


def test_its_verdicts_follow_the_clicks():
    shown = SurvivalMap("ha")
    assert {one.fate for one in shown.verdicts} == {"survives"}
    shown.down = ["proxy-1"]
    assert {one.fate for one in shown.verdicts} == {"stops"}


@pytest.mark.parametrize("wrong", ["large", {"proxies": 2}, {"proxy": 8}, {"proxy": -1}, {"proxy": "two"}])
def test_a_topology_there_is_not_is_refused(wrong):
    with pytest.raises(CourseError):
        SurvivalMap(wrong)


def test_a_part_there_is_not_cannot_be_off():
    with pytest.raises(ValueError, match="proxy-7"):
        SurvivalMap("small", down=["proxy-7"])
    with pytest.raises(traitlets.TraitError):
        SurvivalMap("small", copies=8)


def test_todays_map_says_that_it_was_read_and_where():
    text = " ".join(SurvivalMap(version="2.6", down=["streamingnode-1"]).text().split())
    assert "2.6 and 3.0, log in Pulsar or Kafka" in text
    assert survival_map.DOCUMENTED in text
    assert "https://milvus.io/docs/v2.6.x/streaming_service.md" in text
    assert survival_map.DOCUMENTED not in SurvivalMap().text()


def test_the_switch_of_versions_brings_parts_and_facts_of_one_version():
    shown = SurvivalMap("small", version="2.6 woodpecker")
    for version, choice in shown.architectures.items():
        roles = {*ARCHITECTURES[version].roles, "entry"}
        assert {fact["role"] for fact in choice["facts"]} <= roles
        assert {part["role"] for part in choice["parts"]} <= roles
        assert {part["role"] for part in choice["parts"]} | {"proxy"} == roles
    assert shown.parts == shown.architectures["2.6 woodpecker"]["parts"]


def test_a_running_cluster_stands_under_its_own_version_and_another_beside_it_on_paper():
    shown = SurvivalMap(SimulatedCluster("lab", "ha", 10), version="2.6")
    assert shown.source["kind"] == "profile"
    assert "streamingnode" in {part["role"] for part in shown.parts}
    assert shown.architectures["2.3.5"]["source"] == {"kind": "cluster", "name": "lab", "engine": "simulated"}
    with pytest.raises(CourseError, match="no map of Milvus"):
        SurvivalMap(version="2.7")


def test_a_cluster_of_todays_milvus_is_judged_by_todays_facts():
    cluster = SimulatedCluster(milvus="2.6 woodpecker")
    assert SurvivalMap(cluster).version == "2.6 woodpecker"
    shown = SurvivalMap(cluster, version="2.6 woodpecker", down=["objectstore"])
    assert "insert         stops" in shown.text()
