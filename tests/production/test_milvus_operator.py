"""The Milvus Operator's resource: its keys are the operator's, its pods Kubernetes' own."""

import json
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from halab.course.paths import course_root
from halab.models.health_probes import HealthProbe, detection

RESOURCE = yaml.safe_load((course_root() / "docs" / "production" / "milvus-operator.yaml").read_text())
NAMES = json.loads((Path(__file__).parent / "milvus-operator-1.3.8.json").read_text())["names"]
ROLES = {name: part for name, part in RESOURCE["spec"]["components"].items() if isinstance(part, dict)}


def unknown(node, path=""):
    """The keys at places that the schema describes which it does not know, by their paths."""
    if isinstance(node, list):
        for each in node:
            yield from unknown(each, f"{path}[]")
    elif isinstance(node, dict) and (known := NAMES.get(path or ".")):
        for key, value in node.items():
            below = f"{path}.{key}".lstrip(".")
            if key not in known:
                yield below
            yield from unknown(value, below)


def test_every_key_is_one_that_the_operator_knows():
    assert list(unknown(RESOURCE["spec"])) == []
    slip = {"components": {"queryNode": {"replica": 4}}}
    assert list(unknown(slip)) == ["components.queryNode.replica"]


@pytest.mark.parametrize("role", ROLES)
def test_a_roles_pods_are_such_as_kubernetes_takes(role):
    part = ROLES[role]
    container = {
        "name": role,
        "image": RESOURCE["spec"]["components"]["image"],
        "resources": part["resources"],
    }
    container |= part.get("probes", {})
    pod = {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": role.lower()},
        "spec": {"containers": [container], "topologySpreadConstraints": part["topologySpreadConstraints"]},
    }  # fmt: skip
    kubernetes_validate.validate(pod, "1.33", strict=True)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_has_a_spare_that_keeps_away_from_its_like(role):
    assert ROLES[role]["replicas"] >= 2
    for constraint in ROLES[role]["topologySpreadConstraints"]:
        assert constraint["labelSelector"]["matchLabels"] == {
            "app.kubernetes.io/instance": RESOURCE["metadata"]["name"],
            "app.kubernetes.io/component": role.lower(),
        }


def test_a_hang_of_a_coordinator_is_noticed_and_ends_within_its_own_grace():
    probe = ROLES["mixCoord"]["probes"]["livenessProbe"]
    numbers = HealthProbe(
        period=probe["periodSeconds"], timeout=probe["timeoutSeconds"], failures=probe["failureThreshold"]
    )
    assert detection(numbers, "hang", "httpGet").most == 3 * 15 + 10
    assert probe["terminationGracePeriodSeconds"] < 60  # the pod's own is a month
