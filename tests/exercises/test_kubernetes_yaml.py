import pytest

from halab.exercises.kubernetes_yaml import ManifestError, probe_in, read_pod
from halab.models.health_probes import HealthProbe

POD = """apiVersion: v1
kind: Pod
metadata: {name: milvus}
spec:
  containers:
    - name: milvus
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
        ("periodSeconds", "periodSecond", 9, 9, 'no "periodSecond"'),
        ("periodSeconds: 3", "periodSeconds: 0", 9, 9, "least is 1"),
        ("periodSeconds: 3", "periodSeconds: soon", 9, 24, "not of type 'integer'"),
        ("periodSeconds: 3", "periodSeconds: 2.5", 9, 24, "not of type 'integer'"),
        ("periodSeconds: 3", "successThreshold: 2", 9, 9, "must be 1"),
        ("periodSeconds: 3", "failureThreshold: 3", 10, 9, "there twice"),
        ("httpGet: {path: /healthz, port: 9091}", "initialDelaySeconds: 1", 7, 7, "has none"),
        ("periodSeconds: 3", "tcpSocket: {port: 9091}", 7, 7, "httpGet and tcpSocket"),
        ("periodSeconds: 3", "periodSeconds: [3", 10, 25, "not YAML"),
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
