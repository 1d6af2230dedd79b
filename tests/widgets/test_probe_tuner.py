import json
import subprocess
from dataclasses import asdict

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from halab.exercises.kubernetes_yaml import probe_in, read_pod
from halab.models.health_probes import CARD, TUNED, HealthProbe, detection, false_restarts, restart_storm
from halab.translation import speaking
from halab.widgets.probe_tuner import ProbeTuner, late_share, yaml_of
from support.nodejs import node

MIRROR = """
import {detection, lateShare, falseRestarts, storm, yaml} from "./probes.mjs";
let text = "";
for await (const part of process.stdin) text += part;
console.log(JSON.stringify(JSON.parse(text).map(({one, two, busy, pause, live}) => ({
  crash: detection(one, "crash"), hang: detection(one, "hang"), knocked: detection(one, "crash", "tcpSocket"),
  never: detection(one, "hang", "tcpSocket").every((time) => time === Infinity),
  wrong: falseRestarts(one, lateShare(busy, pause, one.timeout)),
  storm: storm(live, 3600), yaml: yaml({liveness: one, readiness: two}),
  tcp: yaml({liveness: one, readiness: two}, "tcpSocket"),
}))));
"""
probe = st.builds(
    HealthProbe, st.integers(1, 30), st.integers(1, 30), st.integers(1, 10), st.integers(0, 120)
)
cases = st.tuples(probe, probe, st.floats(0, 0.2), st.floats(0.1, 5), st.integers(1, 900))


def test_the_browser_s_numbers_are_those_of_the_model(tmp_path):
    (tmp_path / "probes.mjs").write_text(ProbeTuner._esm)
    (tmp_path / "mirror.mjs").write_text(MIRROR)
    drawn = []

    @settings(max_examples=100, derandomize=True, database=None)
    @given(cases)
    def draw(case):
        drawn.append(case)

    draw()
    asked = [
        {"one": asdict(one), "two": asdict(two), "busy": busy, "pause": pause, "live": live}
        for one, two, busy, pause, live in drawn
    ]
    ran = subprocess.run(
        [node(), "mirror.mjs"],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )
    for (one, two, busy, pause, live), found in zip(drawn, json.loads(ran.stdout), strict=True):
        assert found["crash"] == pytest.approx(list(detection(one, "crash")))
        assert found["hang"] == pytest.approx(list(detection(one, "hang")))
        assert found["wrong"] == pytest.approx(false_restarts(one, late_share(busy, pause, one.timeout)))
        assert found["storm"] == pytest.approx(list(restart_storm(live, 3600)))
        assert found["yaml"] == yaml_of(one, two)
        assert found["knocked"] == found["crash"]
        assert found["never"]
        assert found["tcp"] == yaml_of(one, two, "tcpSocket")


def test_the_yaml_is_what_kubernetes_takes():
    container = {"name": "milvus", "image": "milvus", **yaml.safe_load(yaml_of(TUNED, HealthProbe(5, 3, 3)))}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "m"}, "spec": {"containers": [container]}}
    assert probe_in(read_pod(yaml.safe_dump(pod)), "livenessProbe") == TUNED


def test_without_a_front_end_a_table_says_when_a_fault_is_noticed():
    text = repr(ProbeTuner())
    assert "20 s" in text
    assert "35 s" in text
    assert "A healthy process is restarted practically never" in text
    busy = ProbeTuner(TUNED, busy=0.2, pause=5).text()
    assert "restarted 110,000 times a year" in busy
    assert text.endswith(yaml_of(CARD, HealthProbe(5, 3, 3, 10)))
    tuner = ProbeTuner(TUNED)
    assert "9 s" in tuner.text()


def test_a_probe_that_only_knocks_never_notices_a_hang_and_says_so():
    """The preset "Milvus' chart" is such a one: the chart's liveness has been tcpSocket since 4.2.38."""
    text = ProbeTuner(asks="tcpSocket").text()
    rows = [line.split() for line in text.splitlines() if line.startswith(("liveness", "readiness"))]
    assert [row[2:] for row in rows if row[:2] == ["liveness", "hang"]] == [["never"] * 3]
    assert sum("never" in row for row in rows) == 1, "a crash is refused, and readiness asks /healthz"
    assert "  tcpSocket:\n    port: 9091\n" in text
    with speaking("zh"):
        assert ProbeTuner(asks="tcpSocket").text().count("永远发现不了") == 3
    chart = ProbeTuner._esm.split("const PRESETS")[1].split("asks:")[1]
    assert chart.startswith(' "tcpSocket"')
    assert "period: 30, timeout: 5, failures: 5, delay: 90" in chart
