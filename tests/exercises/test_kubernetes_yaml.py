import contextlib

import pytest

from halab.exercises.kubernetes_yaml import ManifestError, asked_of, probe_in, read_pod
from halab.models.health_probes import HealthProbe

POD = """apiVersion: v1
kind: Pod
metadata: {name: milvus}
spec:
  containers:
    - name: milvus
      image: milvusdb/milvus:v2.3.5
      livenessProbe:
        httpGet: {path: /healthz, port: 9091}
        periodSeconds: 3
        failureThreshold: 2
"""


def test_a_pod_is_read_with_kubernetes_defaults():
    pod = read_pod(POD)
    assert probe_in(pod, "livenessProbe") == HealthProbe(3, 1, 2)
    assert probe_in(pod, "readinessProbe") is None


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "said"),
    [
        ("periodSeconds", "periodSecond", 10, 9, 'no "periodSecond"'),
        ("periodSeconds: 3", "periodSeconds: 0", 10, 9, "least is 1"),
        ("periodSeconds: 3", "periodSeconds: soon", 10, 24, "not of type 'integer'"),
        ("periodSeconds: 3", "periodSeconds: 2.5", 10, 24, "not of type 'integer'"),
        ("periodSeconds: 3", "successThreshold: 2", 10, 9, "must be 1"),
        ("periodSeconds: 3", "failureThreshold: 3", 11, 9, "there twice"),
        ("httpGet: {path: /healthz, port: 9091}", "initialDelaySeconds: 1", 8, 7, "has none"),
        ("periodSeconds: 3", "tcpSocket: {port: 9091}", 8, 7, "httpGet and tcpSocket"),
        ("periodSeconds: 3", "periodSeconds: [3", 11, 25, "not YAML"),
        ("kind: Pod", "kind: Pot", 1, 1, "kind: Pod"),
        ("{name: milvus}", "&here {name: milvus, labels: *here}", 3, 40, "alias"),
    ],
)
def test_what_kubernetes_would_refuse_is_told_with_its_place(old, new, line, column, said):
    with pytest.raises(ManifestError, match=said) as caught:
        read_pod(POD.replace(old, new))
    assert (caught.value.line, caught.value.column) == (line, column)


@pytest.mark.parametrize(
    "text", ["", "\n", "- 1", "7", "x" * 30_000, "a: b: c", "\t", "!!python/object:x {}", "\x00"]
)
def test_what_is_no_pod_at_all_is_refused_kindly(text):
    with pytest.raises(ManifestError, match="Line 1"):
        read_pod(text)


PROBE = "livenessProbe"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('9091}', '"9091"}', "a number stands without quotes"),
        ("9091}", "0}", "from 1 to 65535"),
        ("9091}", "70000}", "from 1 to 65535"),
        ("      image: milvusdb/milvus:v2.3.5\n", "", "has an image"),
        ("image: milvusdb/milvus:v2.3.5", 'image: ""', "has an image"),
        ("- name: milvus", "- name: Milvus", "no container's name"),
        ("{name: milvus}", "{name: mil_vus}", "no Pod's name"),
        ("{name: milvus}", "", "has a metadata.name"),
        ("periodSeconds: 3", "terminationGracePeriodSeconds: 0", "least is 1"),
        ("periodSeconds: 3", "periodSeconds: 2147483648", "the most is"),
        ("httpGet: {path: /healthz, port: 9091}", "exec: {}", "has a command"),
        ("{path: /healthz, port: 9091}", "{port: 9091, scheme: FTP}", "one of HTTP, HTTPS"),
        ("periodSeconds: 3", "periodSeconds: {{ .Values.period }}", "a template's place"),
        ("periodSeconds: 3", "periodSeconds: .inf", "no number"),
        ("periodSeconds: 3", "periodSeconds: .nan", "no number"),
        ("periodSeconds: 3", "periodSeconds: 1:30", "no number"),
        ("periodSeconds: 3", "periodSeconds: " + "9" * 400, "too great"),
        ("periodSeconds: 3", "periodSeconds: " + "9" * 5000, "too great"),
        ("periodSeconds: 3", "periodSeconds: !!int soon", "this is no int"),
        ("periodSeconds: 3", "periodSeconds: !!int ''", "this is no int"),
        ("periodSeconds: 3", "periodSeconds: !!bool soon", "this is no bool"),
        ("periodSeconds: 3", "periodSeconds: !!seq soon", "this is no seq"),
        ("periodSeconds: 3", "periodSeconds: !!map [3]", "this is no map"),
        ("periodSeconds: 3", "periodSeconds: yes", "not of type 'integer'"),
        ("periodSeconds: 3", "1: 2", "a key is a text"),
        ("periodSeconds: 3", "? [a]\n        : 2", "a key is a text"),
        ("periodSeconds: 3", "<<: {periodSeconds: 3}", "knows no merge"),
        ("periodSeconds: 3", "periodSeconds: !!binary aGk=", "knows no binary"),
        ("/healthz", "\ud800", "cannot be written"),
        ("periodSeconds: 3", "periodSeconds: " + "[" * 2000, "levels"),
        ("kind: Pod", "kind: Pod\n---", "begins another document"),
    ],
)  # fmt: skip
def test_what_the_api_server_s_own_validation_refuses_is_refused(old, new, said):
    with pytest.raises(ManifestError, match=said):
        read_pod(POD.replace(old, new))


def test_readiness_has_no_grace_period():
    pod = POD.replace(PROBE, "readinessProbe")
    assert read_pod(pod)
    with pytest.raises(ManifestError, match="ends nothing") as caught:
        read_pod(pod + "        terminationGracePeriodSeconds: 5\n")
    assert caught.value.line == 12


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ("spec:\n", "has a spec"),
        ("spec: []\n", "not of type 'object'"),
        ("spec:\n  containers:\n", "'containers' is a required property"),
        ("spec: {containers: []}\n", "at least one container"),
        ("spec:\n  containers:\n    -\n", "is empty"),
        ("spec: {containers: [{name: a, image: b, restartPolicy: Always}]}\n", "only an init container"),
        ("spec: {containers: [{name: a, image: b}, {name: a, image: b}]}\n", "called 'a' already"),
    ],
)
def test_a_pod_without_its_parts_is_explained(end, said):
    with pytest.raises(ManifestError, match=said):
        read_pod(POD[: POD.index("spec:")] + end)


def test_a_sidecar_may_stand_before_the_container_with_the_probes():
    before = "    - {name: sidecar, image: envoy, ports: [{name: metrics, containerPort: 80}]}\n"
    pod = POD.replace("port: 9091}", "port: metrics}").replace("  containers:\n", "  containers:\n" + before)
    pod = read_pod(pod + "      ports: [{name: metrics, containerPort: 9091}]\n")
    assert probe_in(pod, PROBE) == HealthProbe(3, 1, 2)
    assert asked_of(pod, PROBE) == ("/healthz", 9091)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("restartPolicy: Always, livenessProbe: {tcpSocket: {port: 80}}", ""),
        ("restartPolicy: Always, livenessProbe: {}", "has none"),
        ("livenessProbe: {tcpSocket: {port: 80}}", "an init container has no livenessProbe"),
        ("restartPolicy: Never", "is Always, or missing"),
        ("name: milvus", "called 'milvus' already"),
    ],
)
def test_an_init_container_has_probes_only_as_a_sidecar(more, said):
    name = "" if "name" in more else "name: sidecar, "
    text = POD.replace("spec:\n", f"spec:\n  initContainers: [{{{name}image: envoy, {more}}}]\n")
    with pytest.raises(ManifestError, match=said) if said else contextlib.nullcontext():
        read_pod(text)


def test_a_separator_at_the_end_is_told_at_its_place():
    with pytest.raises(ManifestError, match="Line 12, column 1: --- begins another document"):
        read_pod(POD + "---\n")


def test_a_null_leaves_the_default_and_a_float_that_is_whole_is_a_whole_number():
    pod = read_pod(POD.replace("periodSeconds: 3", "periodSeconds:\n        timeoutSeconds: 2.0"))
    probe = probe_in(pod, PROBE)
    assert probe == HealthProbe(10, 2, 2)
    assert isinstance(probe.timeout, int)


@pytest.mark.parametrize("begin", ["---\n", "\ufeff", "# a comment\n", "%YAML 1.2\n---\n"])
def test_what_kubernetes_takes_is_taken(begin):
    assert read_pod(begin + POD + "...\n") == read_pod(POD)
    assert read_pod(POD.replace("{name: milvus}", "{name: 2026-11-28}"))


def test_what_a_probe_asks():
    assert asked_of(read_pod(POD), PROBE) == ("/healthz", 9091)
    assert asked_of(read_pod(POD), "startupProbe") is None
    by_name = POD.replace("9091", "metrics")
    assert asked_of(read_pod(by_name), PROBE) is None
    by_name += "      ports: [{name: metrics, containerPort: 9091}]\n"
    assert asked_of(read_pod(by_name), PROBE) == ("/healthz", 9091)
    assert asked_of(read_pod(POD.replace("path: /healthz, ", "")), PROBE) == ("/", 9091)


@pytest.mark.parametrize("text", ["x" * 50_000_000, "a: &a [x]\nb: [*a, *a]\n", "a: " + "[" * 19_000])
def test_what_could_exhaust_the_reader_is_refused_at_once(text):
    with pytest.raises(ManifestError):
        read_pod(text)
