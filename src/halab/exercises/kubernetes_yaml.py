"""Kubernetes YAML as a learner writes it: what is wrong in it is said with its line and column.

`kubernetes-validate` carries the schemas of Kubernetes' own API, and `pod_validation` what the API server
checks beyond them; so nothing is asked of a cluster or the network.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Hashable, Iterable
from typing import Any

import kubernetes_validate
import yaml

from halab.errors import CourseError
from halab.exercises.pod_validation import FIELDS, PROBES, first_problem
from halab.models.health_probes import HealthProbe
from halab.translation import gettext

__all__ = ["ManifestError", "asked_of", "probe_in", "read_pod"]

_VERSION = "1.31"
_MOST_CHARACTERS = 20_000
_DEEPEST = 50  # levels: a Pod needs ten
_GREATEST = 2**63  # the greatest whole number of Kubernetes' API


class ManifestError(CourseError):
    """A manifest that Kubernetes would refuse. `line` and `column` count from 1."""

    def __init__(self, what: str, line: int, column: int) -> None:
        super().__init__(
            gettext("Line {line}, column {column}: {what}").format(line=line, column=column, what=what)
        )
        self.line, self.column = line, column


def read_pod(text: str) -> dict[str, Any]:
    """The Pod that a text describes: {"spec": ...}, as Kubernetes would take it.

    A null is left out, as the API server does, so the default holds. Beyond the schema, what the API server
    itself refuses is refused: see `pod_validation`. Raises ManifestError, with line and column, if the text
    is not YAML, not a Pod, or one that Kubernetes would refuse.
    """
    node = _compose(text)
    try:
        pod = _without_nulls(_Loader(text).get_single_data())
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise ManifestError(what, *_line_and_column(mark)) from None
    if not isinstance(pod, dict) or pod.get("kind") != "Pod" or pod.get("apiVersion") != "v1":
        raise ManifestError(gettext("a Pod begins with apiVersion: v1 and kind: Pod"), *_position(node, ()))
    try:
        kubernetes_validate.validate(pod, _VERSION, strict=True)
    except kubernetes_validate.ValidationError as error:
        raise _error_of(error, node) from None
    if problem := first_problem(pod):
        what, path, of_key = problem
        raise ManifestError(what, *_position(node, path, key=of_key))
    return pod


def probe_in(pod: dict[str, Any], name: str) -> HealthProbe | None:
    """A probe of the Pod's probed container by its Kubernetes name, or None."""
    probe = _probed_container(pod).get(name)
    if probe is None:
        return None
    return HealthProbe(**{ours: probe.get(theirs, usual) for theirs, (ours, usual) in FIELDS.items()})


def asked_of(pod: dict[str, Any], name: str) -> tuple[str, int] | None:
    """The path and the port that a probe of the probed container asks over HTTP; None if it asks otherwise.

    A port's name stands for the container's port of that name.
    """
    container = _probed_container(pod)
    asked = container.get(name, {}).get("httpGet")
    if asked is None or asked.get("scheme", "HTTP") != "HTTP":
        return None
    ports = {port.get("name"): port["containerPort"] for port in container.get("ports", ())}
    port = ports.get(asked["port"]) if isinstance(asked["port"], str) else asked["port"]
    return None if port is None else (asked.get("path", "/"), port)


def _probed_container(pod: dict[str, Any]) -> dict[str, Any]:
    """The first container with a probe, or else the first: a sidecar may stand before it."""
    containers: list[dict[str, Any]] = pod["spec"]["containers"]
    return next((one for one in containers if any(name in one for name in PROBES)), containers[0])


_JSON_TAGS = (":null", ":bool", ":int", ":float", ":str", ":seq", ":map")
_NODES = {"seq": yaml.SequenceNode, "map": yaml.MappingNode}  # by kind; of all others a ScalarNode


class _Loader(yaml.SafeLoader):
    """YAML as Kubernetes reads it: what JSON has, and nothing else. A date is a text, and so is a key."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        for key, _ in node.value:
            if not isinstance(self.construct_object(key, deep=True), str):
                raise _refusal(gettext("a key is a text, and this one is not"), key)
        return super().construct_mapping(node, deep)

    def construct_sequence(self, node: yaml.SequenceNode, deep: bool = False) -> list[Any]:
        for entry in node.value:
            if entry.tag.endswith(":null"):
                raise _refusal(gettext("this entry of the list is empty"), entry)
        return super().construct_sequence(node, deep)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        if not node.tag.endswith(_JSON_TAGS):
            raise _refusal(
                gettext("Kubernetes knows no {kind}").format(kind=node.tag.rpartition(":")[2]), node
            )
        kind = node.tag.rpartition(":")[2]
        if not isinstance(node, _NODES.get(kind, yaml.ScalarNode)):
            raise _refusal(gettext("this is no {kind}").format(kind=kind), node)
        try:
            value = super().construct_object(node, deep)
        except (ValueError, LookupError):  # what its tag does not fit, or more digits than Python reads
            many = len(node.value) > sys.get_int_max_str_digits()
            what = gettext("the number is too great") if many else gettext("this is no {kind}")
            raise _refusal(what.format(kind=kind), node) from None
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return _number(value, node)
        return value


_Loader.yaml_implicit_resolvers = {
    first: [(tag, rule) for tag, rule in rules if not tag.endswith(":timestamp")]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _number(value: float, node: yaml.Node) -> float:
    """A number as JSON and Go have it: 3.0 is 3, and 1:30 is none."""
    if ":" in node.value or (isinstance(value, float) and not math.isfinite(value)):
        raise _refusal(gettext("this is no number"), node)
    if abs(value) > _GREATEST:
        raise _refusal(gettext("the number is too great"), node)
    return int(value) if value == int(value) else value


def _refusal(what: str, node: yaml.Node) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, what, node.start_mark)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(part) for key, part in value.items() if part is not None}
    return [_without_nulls(part) for part in value] if isinstance(value, list) else value


def _compose(text: str) -> yaml.Node:
    if not isinstance(text, str) or not text.strip():
        raise ManifestError(gettext("there is no YAML here"), 1, 1)
    if len(text) > _MOST_CHARACTERS:
        raise ManifestError(
            gettext("a Pod takes no more than {most} characters").format(most=_MOST_CHARACTERS),
            1,
            1,
        )
    _refuse_what_no_manifest_has(text)
    try:
        _check_events(text)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ManifestError(
            gettext("this is not YAML: {problem}").format(problem=error.problem), *_line_and_column(mark)
        ) from None
    except (yaml.YAMLError, ValueError) as error:
        raise ManifestError(
            gettext("this is not YAML: {problem}").format(problem=str(error).splitlines()[0]), 1, 1
        ) from None
    if node is None:
        raise ManifestError(gettext("there is no YAML here"), 1, 1)
    _refuse_duplicate_keys(node)
    return node


def _refuse_what_no_manifest_has(text: str) -> None:
    """A template that was not filled in, and text that cannot be written: YAML's own words tell neither."""
    for number, line in enumerate(text.splitlines(), start=1):
        braces = line.find("{{")
        if braces >= 0 and "}}" in line[braces:]:
            raise ManifestError(
                gettext("{{ ... }} is a template's place for a value: fill it in, as `helm template` does"),
                number,
                braces + 1,
            )
        try:
            line.encode()
        except UnicodeEncodeError as error:
            raise ManifestError(
                gettext("this character cannot be written"), number, error.start + 1
            ) from None


def _check_events(text: str) -> None:
    """Documents, aliases and depth, before anything is built: a small text could become a huge document."""
    depth = documents = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise ManifestError(
                gettext("write it out, without an alias"), *_line_and_column(event.start_mark)
            )
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise ManifestError(
                    gettext(
                        "--- begins another document, and a Pod is one: take the line away, and "
                        "what follows it"
                    ),
                    *_line_and_column(event.start_mark),
                )
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise ManifestError(
                gettext("more than {most} levels").format(most=_DEEPEST),
                *_line_and_column(event.start_mark),
            )


def _refuse_duplicate_keys(node: yaml.Node) -> None:
    """A key that is there twice: YAML takes the last without a word, and Kubernetes refuses it."""
    if isinstance(node, yaml.MappingNode):
        names: set[str] = set()
        for key, value in node.value:
            if str(key.value) in names:
                raise ManifestError(
                    gettext('"{key}" is there twice').format(key=key.value),
                    *_line_and_column(key.start_mark),
                )
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
            gettext('Kubernetes knows no "{word}" here').format(word=unexpected[1]),
            *_position(node, (*path, unexpected[1]), key=True),
        )
    where = ".".join(map(str, path)) or gettext("the document")
    return ManifestError(f"{where}: {error.message[:200]}", *_position(node, path))


def _position(node: yaml.Node, path: Iterable[str | int], *, key: bool = False) -> tuple[int, int]:
    """Line and column of what a path leads to, or of its key; of what is nearest if it is not there."""
    mark = node.start_mark
    for step in path:
        if isinstance(node, yaml.MappingNode):
            pair = next(((k, v) for k, v in node.value if k.value == step), None)
            if pair is None:
                break
            mark, node = (pair[0] if key else pair[1]).start_mark, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            mark = node.start_mark
        else:
            break
    return _line_and_column(mark)


def _line_and_column(mark: Any) -> tuple[int, int]:
    return (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
