"""Kubernetes YAML as a learner writes it: what is wrong in it is said with its line and column.

`kubernetes-validate` carries the schemas of Kubernetes' own API, so nothing is asked of a cluster or the
network.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import kubernetes_validate
import yaml

from halab.errors import CourseError
from halab.models.health_probes import HealthProbe

__all__ = ["FIELDS", "ManifestError", "probe_in", "read_pod"]

_VERSION = "1.31"
FIELDS = {
    "periodSeconds": ("period", 10),
    "timeoutSeconds": ("timeout", 1),
    "failureThreshold": ("failures", 3),
    "initialDelaySeconds": ("delay", 0),
    "successThreshold": ("successes", 1),
}
"""Kubernetes' names of a probe's numbers, ours, and Kubernetes' defaults."""
_MINIMUM = {
    "periodSeconds": 1,
    "timeoutSeconds": 1,
    "failureThreshold": 1,
    "initialDelaySeconds": 0,
    "successThreshold": 1,
}
_HANDLERS = ("httpGet", "tcpSocket", "exec", "grpc")
_MOST_CHARACTERS = 20_000


class ManifestError(CourseError):
    """A manifest that Kubernetes would refuse. `line` and `column` count from 1."""

    def __init__(self, what: str, line: int, column: int) -> None:
        super().__init__(f"Line {line}, column {column}: {what}")
        self.line, self.column = line, column


def read_pod(text: str) -> dict[str, Any]:
    """The Pod that a text describes: {"spec": ...}, as Kubernetes would take it.

    Beyond the schema, what the API server itself refuses in a probe is refused: numbers below the least, a
    successThreshold other than 1 for liveness and startup, none or several handlers. Raises ManifestError,
    with line and column, if the text is not YAML, not a Pod, or one that Kubernetes would refuse.
    """
    node = _compose(text)
    try:
        pod = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        raise ManifestError(str(error).splitlines()[0], 1, 1) from None
    if not isinstance(pod, dict) or pod.get("kind") != "Pod" or pod.get("apiVersion") != "v1":
        raise ManifestError("a Pod begins with apiVersion: v1 and kind: Pod", *_position(node, ()))
    try:
        kubernetes_validate.validate(pod, _VERSION, strict=True)
    except kubernetes_validate.ValidationError as error:
        raise _error_of(error, node) from None
    for index, container in enumerate(pod.get("spec", {}).get("containers", [])):
        for name in ("livenessProbe", "readinessProbe", "startupProbe"):
            if name in container:
                _check_probe(container[name], name, node, ("spec", "containers", index, name))
    return pod


def probe_in(pod: dict[str, Any], name: str) -> HealthProbe | None:
    """A probe of the Pod's first container by its Kubernetes name, or None."""
    found = pod["spec"]["containers"][0].get(name)
    if found is None:
        return None
    return HealthProbe(**{ours: found.get(theirs, usual) for theirs, (ours, usual) in FIELDS.items()})


def _compose(text: str) -> yaml.Node:
    if not isinstance(text, str) or not text.strip():
        raise ManifestError("there is no YAML here", 1, 1)
    if len(text) > _MOST_CHARACTERS:
        raise ManifestError(f"a Pod takes no more than {_MOST_CHARACTERS} characters", 1, 1)
    try:
        # An alias could make a small text a huge document.
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                raise ManifestError("write it out, without an alias", *_line_and_column(event.start_mark))
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ManifestError(f"this is not YAML: {error.problem}", *_line_and_column(mark)) from None
    except yaml.YAMLError as error:
        raise ManifestError(f"this is not YAML: {str(error).splitlines()[0]}", 1, 1) from None
    if node is None:
        raise ManifestError("there is no YAML here", 1, 1)
    _refuse_duplicate_keys(node)
    return node


def _refuse_duplicate_keys(node: yaml.Node) -> None:
    """A key that is there twice: YAML takes the last without a word, and Kubernetes refuses it."""
    if isinstance(node, yaml.MappingNode):
        names: set[str] = set()
        for key, value in node.value:
            if str(key.value) in names:
                raise ManifestError(f'"{key.value}" is there twice', *_line_and_column(key.start_mark))
            names.add(str(key.value))
            _refuse_duplicate_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_duplicate_keys(item)


def _error_of(error: Any, node: yaml.Node) -> ManifestError:
    path = tuple(error.path)
    unexpected = re.search(r"'([^']+)' was unexpected", error.message)
    if unexpected:
        return ManifestError(
            f'Kubernetes knows no "{unexpected[1]}" here', *_position(node, (*path, unexpected[1]), key=True)
        )
    where = ".".join(map(str, path)) or "the document"
    return ManifestError(f"{where}: {error.message[:200]}", *_position(node, path))


def _check_probe(probe: dict[str, Any], name: str, node: yaml.Node, path: tuple[str | int, ...]) -> None:
    for field, least in _MINIMUM.items():
        if field in probe and probe[field] < least:
            raise ManifestError(
                f"{field} is {probe[field]}, and the least is {least}",
                *_position(node, (*path, field), key=True),
            )
    if name != "readinessProbe" and probe.get("successThreshold", 1) != 1:
        raise ManifestError(
            f"successThreshold of a {name} must be 1", *_position(node, (*path, "successThreshold"), key=True)
        )
    handlers = [handler for handler in _HANDLERS if handler in probe]
    if len(handlers) != 1:
        raise ManifestError(
            f"a {name} asks in one way of {', '.join(_HANDLERS)}; this one has "
            f"{' and '.join(handlers) or 'none'}",
            *_position(node, path, key=True),
        )


def _position(node: yaml.Node, path: Iterable[str | int], *, key: bool = False) -> tuple[int, int]:
    """Line and column of what a path leads to, or of its key; of what is nearest if it is not there."""
    mark = node.start_mark
    for step in path:
        if isinstance(node, yaml.MappingNode):
            found = next(((k, v) for k, v in node.value if k.value == step), None)
            if found is None:
                break
            mark, node = (found[0] if key else found[1]).start_mark, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            mark = node.start_mark
        else:
            break
    return _line_and_column(mark)


def _line_and_column(mark: Any) -> tuple[int, int]:
    return (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
