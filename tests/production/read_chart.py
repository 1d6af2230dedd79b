"""Reads Milvus' Helm chart for the tests beside this: its keys, and what it makes of docs/production/*.yaml.

    helm pull zilliztech/milvus --version 5.0.19 --untar
    pip install helm-python-sdk
    python tests/production/read_chart.py milvus    # writes milvus-chart-5.0.19.json

The chart is not ours to keep here, and no package registry has it: so its facts are kept, and this is how
they were read. Whoever changes a value runs it again; a test says so.
"""

import hashlib
import json
import sys
from pathlib import Path

import kubernetes_validate
import yaml

FOLDER = Path(__file__).parents[2] / "docs" / "production"
RECORD = Path(__file__).with_name("milvus-chart-5.0.19.json")
SETS = {"values": ["values.yaml"], "zones": ["values.yaml", "zones.yaml"]}
RELEASE = "my-milvus"
KUBERNETES = "1.33"
READ = (
    "zilliztech/milvus-helm at chart 5.0.19 (commit 98324768aeb70ebfea91f9968853e0fa29838639), 2026-11-28, "
    "by read_chart.py with helm-python-sdk 0.2.2. keys: what the chart takes, merged with the charts in it "
    "(etcd 8.12.0, minio 8.0.17; of pulsar 3.3.0 only what the chart itself sets), at each place that "
    "docs/production/values.yaml or zones.yaml sets, with the type of its value; an empty dict or list takes "
    "anything, and Kubernetes' schema says what. rendered: what Helm makes of those files, each object "
    "validated against Kubernetes' schemas."
)
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


def merged(names):
    """Files of values as Helm merges them: maps one into the other, and all else is replaced."""

    def merge(into, changes):
        for key, value in changes.items():
            both = isinstance(value, dict) and isinstance(into.get(key), dict)
            into[key] = merge(dict(into[key]), value) if both else value
        return into

    values = {}
    for name in names:
        values = merge(values, yaml.safe_load((FOLDER / name).read_text()))
    return values


def digest(values):
    """Of the values alone: a comment may change."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def keys_of(defaults, values, path=""):
    """What the chart takes at each place that `values` sets, with the type of its own value."""
    places = {path or ".": {key: type(value).__name__ for key, value in sorted(defaults.items())}}
    for key, value in values.items():
        below = defaults.get(key)
        if isinstance(value, dict) and isinstance(below, dict) and below:
            places |= keys_of(below, value, f"{path}.{key}".lstrip("."))
    return places


def objects_of(manifests):
    """Every object that was rendered, each such as Kubernetes takes."""
    for path, text in sorted(manifests.items()):
        if path.endswith((".yaml", ".yml")):
            for each in yaml.safe_load_all(text):
                if isinstance(each, dict) and "kind" in each:
                    if "monitoring.coreos.com" not in each["apiVersion"]:  # not Kubernetes' own
                        kubernetes_validate.validate(each, KUBERNETES, strict=False)
                    yield each


def facts_of(manifests):
    """Of what was rendered, what availability hangs on."""
    workloads, selected = {}, {}
    for each in objects_of(manifests):
        name, spec = each["metadata"]["name"], each.get("spec", {})
        if each["kind"] in ("Deployment", "StatefulSet"):
            workloads[name] = workload(spec)
        elif each["kind"] in ("PodDisruptionBudget", "PodMonitor", "ServiceMonitor"):
            selected.setdefault(each["kind"], {})[name] = spec["selector"]["matchLabels"]
        elif each["kind"] == "ConfigMap" and "user.yaml" in each.get("data", {}):
            selected["user.yaml"] = yaml.safe_load(each["data"]["user.yaml"])
    return {"workloads": workloads, **selected}


def workload(spec):
    pod = spec["template"]["spec"]
    container = pod["containers"][0]
    kinds = {name: [kind for kind in ("httpGet", "tcpSocket", "exec") if kind in container[name]]
             for name in _PROBES if name in container}  # fmt: skip
    apart = {
        strength: [(term.get("podAffinityTerm") or term)["topologyKey"] for term in terms]
        for strength, terms in ((pod.get("affinity") or {}).get("podAntiAffinity") or {}).items()
    }
    return {
        "replicas": spec.get("replicas"),
        "labels": spec["template"]["metadata"]["labels"],
        "image": container["image"],
        "grace": pod.get("terminationGracePeriodSeconds"),
        "apart": apart,
        "spread": [each["topologyKey"] for each in pod.get("topologySpreadConstraints") or ()],
        "probes": kinds,
    }


def main(folder):
    from helm_python.chart import Chart

    record = {"read": READ}
    with Chart.load(folder) as chart:
        defaults = chart.merge_values({})
        sets = {name: merged(files) for name, files in SETS.items()}
        record["keys"] = {}
        for values in sets.values():
            record["keys"] |= keys_of(defaults, values)
        record["rendered"] = {
            name: {"digest": digest(values), **facts_of(chart.render(values=values, name=RELEASE))}
            for name, values in sets.items()
        }
    RECORD.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
