import random
from dataclasses import asdict

import pytest

from halab.exercises.expectations import CheckFailed
from halab.exercises.health_checks import checks
from halab.exercises.health_checks.given import Goal
from halab.exercises.health_checks.variant import (
    make_answers,
    make_goal,
    make_impossible_goal,
    make_probes,
    probes_reaching,
)
from halab.models.health_probes import HealthProbe, detection, false_restarts, share_over
from halab.sim.probe_verdicts import verdicts
from support.answers import hint_of

SEEDS = range(5)


def detected(probe, fault):
    span = detection(HealthProbe(**probe), fault)
    return span.least, span.most


def a_year(probe, late):
    return false_restarts(HealthProbe(**probe), late)


def write(liveness, startup="periodSeconds: 10\n        failureThreshold: 60", delay=0):
    return f"""apiVersion: v1
kind: Pod
metadata: {{name: milvus}}
spec:
  containers:
    - name: milvus
      image: milvusdb/milvus:v2.3.5
      livenessProbe:
        httpGet: {{path: /healthz, port: 9091}}
        initialDelaySeconds: {delay}
        periodSeconds: {liveness.period}
        timeoutSeconds: {liveness.timeout}
        failureThreshold: {liveness.failures}
      readinessProbe:
        httpGet: {{path: /healthz, port: 9091}}
      startupProbe:
        httpGet: {{path: /healthz, port: 9091}}
        {startup}
"""


def manifest(data):
    one = Goal(**{**data, "latencies": tuple(data["latencies"])})
    probe = next(probes_reaching(one), None)
    if probe is None:
        raise ValueError("impossible")
    return write(probe)


@pytest.mark.parametrize("seed", SEEDS)
def test_right_answers_pass_every_check(seed):
    rng = random.Random(seed)
    drawn, goals, heard = make_probes(rng), [make_goal(rng)], make_answers(rng)
    checks.check_crash(detected, drawn)
    checks.check_hang(detected, drawn)
    checks.check_share(share_over, goals[0])
    checks.check_false(a_year, drawn)
    for check in (checks.check_valid, checks.check_in_time, checks.check_patient, checks.check_start):
        check(manifest, goals)
    checks.check_refused(manifest, [make_impossible_goal(rng)])
    checks.check_readiness(checks.ready_changes, heard)
    checks.check_restarts(checks.restarts_at, heard)


@pytest.mark.parametrize("seed", SEEDS)
def test_readiness_changes_as_the_simulated_worker_decides(seed):
    heard = make_answers(random.Random(seed))
    probe = HealthProbe(1, 1, failures=3, successes=2)
    told = verdicts(probe, lambda sent: 0.0 if heard[int(sent)] else -1.0, len(heard) - 1)
    if told and told[0][1] == "failed":
        told = told[1:]  # it begins as not ready: that is no change
    assert [(int(at), word == "passed") for at, word in told] == checks.ready_changes(heard, 3, 2)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_goal_is_out_of_reach_of_the_card_s_faster_settings_and_in_reach_of_some(seed):
    one = make_goal(random.Random(seed))
    assert next(probes_reaching(one))
    with pytest.raises(CheckFailed):
        checks.check_patient(lambda data: write(HealthProbe(3, 3, 2)), [one])
    assert not list(probes_reaching(make_impossible_goal(random.Random(seed))))


DRAWN = make_probes(random.Random(1))
GOALS = [make_goal(random.Random(1))]
HEARD = make_answers(random.Random(1))
FIT = next(probes_reaching(GOALS[0]))
LATE = HealthProbe(1, 29, 29)
product = lambda probe, fault: (0, probe["period"] * probe["failures"])  # noqa: E731


def no_timeout(probe, fault):
    return detected(probe, "crash")


def never_waits(probe, fault):
    least = (probe["failures"] - 1) * probe["period"] + (probe["timeout"] if fault == "hang" else 0)
    return least, least + probe["period"]


@pytest.mark.parametrize(
    ("check", "given", "hint"),
    [
        (checks.check_crash, (product, DRAWN), "09.1.least"),
        (checks.check_crash, (lambda probe, fault: 3, DRAWN), "09.1.least"),
        (checks.check_crash, (lambda probe, fault: (detected(probe, fault)[0],) * 2, DRAWN), "09.1.most"),
        (checks.check_hang, (no_timeout, DRAWN), "09.1.hang"),
        (checks.check_hang, (never_waits, DRAWN), "09.1.late"),
        (checks.check_share, (lambda x, t: sum(one > t for one in x) / len(x), GOALS[0]), "09.1.share"),
        (
            checks.check_share,
            (lambda x, t: (sum(one >= t for one in x) + 1) / (len(x) + 1), GOALS[0]),
            "09.1.share",
        ),
        (checks.check_false, (lambda probe, late: late ** probe["failures"], DRAWN), "09.1.false"),
        (
            checks.check_valid,
            (lambda data: write(FIT).replace("timeoutS", "s"), GOALS),
            "09.2.valid",
        ),
        (checks.check_valid, (lambda data: "a: [", GOALS), "09.2.valid"),
        (checks.check_valid, (lambda data: write(FIT).replace("/healthz", "/"), GOALS), "09.2.asked"),
        (checks.check_valid, (lambda data: write(FIT).replace("9091", "19530"), GOALS), "09.2.asked"),
        (checks.check_valid, (lambda data: None, GOALS), "09.2.valid"),
        (checks.check_in_time, (lambda data: write(LATE), GOALS), "09.2.time"),
        (checks.check_patient, (lambda data: write(HealthProbe(1, 1, 1)), GOALS), "09.2.patient"),
        (checks.check_start, (lambda data: write(FIT, "periodSeconds: 1"), GOALS), "09.2.start"),
        (checks.check_start, (lambda data: write(FIT, delay=400), GOALS), "09.2.delay"),
        (checks.check_refused, (lambda data: write(FIT), GOALS), "09.2.refused"),
        (checks.check_readiness, (lambda heard, f, s: [], HEARD), "09.3.ready"),
        (checks.check_readiness, (lambda heard, f, s: [(0, False)], HEARD), "09.3.first"),
        (checks.check_restarts, (lambda heard, f: [], HEARD), "09.3.restart"),
    ],
)
def test_a_wrong_answer_is_told_the_behaviour_it_lacks(check, given, hint):
    assert hint_of(check, *given) == hint


def test_bad_yaml_is_explained_with_line_and_column():
    with pytest.raises(CheckFailed, match='Line 11, column 9: Kubernetes knows no "period"'):
        checks.check_valid(lambda data: write(FIT).replace("periodSeconds", "period", 1), GOALS)


def test_beside_a_sidecar_the_container_with_the_probes_is_judged():
    def beside(data, probes):
        return write(FIT).replace(
            "  containers:\n", f"  containers:\n    - {{name: side, image: b{probes}}}\n"
        )

    checks.check_valid(lambda data: beside(data, ""), GOALS)
    with pytest.raises(
        CheckFailed, match=r"One container has all three probes: .* has a readinessProbe, too"
    ):
        checks.check_valid(
            lambda data: beside(data, ", livenessProbe: {httpGet: {path: /healthz, port: 9091}}"), GOALS
        )


def test_the_data_of_a_goal_is_plain():
    assert set(GOALS[0].data) == set(asdict(GOALS[0]))
