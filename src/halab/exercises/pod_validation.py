"""What the API server refuses in a Pod beyond its schema, as far as a container with probes can meet it.

From `pkg/apis/core/validation/validation.go` of Kubernetes 1.31: ValidatePod, validateContainers,
validateProbe, validateHandler, and from `apimachinery/pkg/util/validation` for names and ports.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from halab.translation import gettext

__all__ = ["FIELDS", "PROBES", "Problem", "first_problem"]

FIELDS = {
    "periodSeconds": ("period", 10),
    "timeoutSeconds": ("timeout", 1),
    "failureThreshold": ("failures", 3),
    "initialDelaySeconds": ("delay", 0),
    "successThreshold": ("successes", 1),
}
"""Kubernetes' names of a probe's numbers, ours, and Kubernetes' defaults."""

Path = tuple[str | int, ...]
Problem = tuple[str, Path, bool]
"""What is wrong, where, and whether the place is that of the key (True) or of its value."""

PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
"""A container's probes by Kubernetes' names."""

_HANDLERS = ("httpGet", "tcpSocket", "exec", "grpc")
_LEAST = {
    name: 0 if name == "initialDelaySeconds" else 1 for name in (*FIELDS, "terminationGracePeriodSeconds")
}
_MOST = 2**31 - 1  # the API's int32
_CHOICES = {
    "restartPolicy": ("Always", "OnFailure", "Never"),
    "imagePullPolicy": ("Always", "IfNotPresent", "Never"),
    "scheme": ("HTTP", "HTTPS"),
    "protocol": ("TCP", "UDP", "SCTP"),
}
_LABEL = re.compile("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_PORT_NAME = re.compile("(?=.*[a-z])(?!.*--)[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?")


def first_problem(pod: Mapping[str, Any]) -> Problem | None:
    """The first thing that the API server would refuse in a Pod that its schema takes; None if nothing is."""
    return next(_problems(pod), None)


def _problems(pod: Mapping[str, Any]) -> Iterator[Problem]:
    yield from _metadata(pod.get("metadata", {}))
    spec = pod.get("spec")
    if spec is None:
        yield gettext("a Pod has a spec, and this one's is missing or empty"), ("spec",), True
        return
    containers = spec.get("containers", [])
    if not containers:
        yield gettext("a Pod has at least one container"), ("spec", "containers"), True
    yield from _choices(spec, ("spec",))
    names: set[str] = set()
    for field in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(field, ())):
            path: Path = ("spec", field, index)
            yield from _container(container, path)
            yield from _of_its_time(container, field, path)
            if container["name"] in names:
                yield (
                    gettext("another container is called {name!r} already").format(name=container["name"]),
                    (*path, "name"),
                    False,
                )
            names.add(container["name"])


def _of_its_time(container: Mapping[str, Any], field: str, path: Path) -> Iterator[Problem]:
    """What only a container has that runs beside the others, or only one that runs before them."""
    if field == "containers" and "restartPolicy" in container:
        yield gettext("only an init container has a restartPolicy"), (*path, "restartPolicy"), True
    if field == "initContainers" and container.get("restartPolicy", "Always") != "Always":
        yield (
            gettext("an init container's restartPolicy is Always, or missing"),
            (*path, "restartPolicy"),
            False,
        )
    if field == "initContainers" and "restartPolicy" not in container:
        for name in ("lifecycle", *PROBES):
            if name in container:
                yield (
                    gettext("an init container has no {name}, unless its restartPolicy is Always").format(
                        name=name
                    ),
                    (*path, name),
                    True,
                )


def _metadata(metadata: Mapping[str, Any]) -> Iterator[Problem]:
    name = metadata.get("name")
    if name is None and not metadata.get("generateName"):
        yield gettext("a Pod has a metadata.name"), ("metadata",), True
    elif name is not None and (len(name) > 253 or not _SUBDOMAIN.fullmatch(name)):
        yield (
            gettext(
                "{name!r} is no Pod's name: small letters, digits, - and ., a letter or digit at each end"
            ).format(name=name[:60]),
            ("metadata", "name"),
            False,
        )


def _container(container: Mapping[str, Any], path: Path) -> Iterator[Problem]:
    if not _LABEL.fullmatch(container["name"]):
        yield (
            gettext("{name!r} is no container's name: up to 63 small letters, digits and -").format(
                name=container["name"][:60]
            ),
            (*path, "name"),
            False,
        )
    if not container.get("image", "").strip():
        yield gettext("a container has an image"), path, True
    yield from _choices(container, path)
    for index, port in enumerate(container.get("ports", ())):
        at = (*path, "ports", index)
        yield from _choices(port, at)
        yield from _port(port["containerPort"], (*at, "containerPort"))
        if "name" in port:
            yield from _port(port["name"], (*at, "name"))
    for name in PROBES:
        if name in container:
            yield from _probe(container[name], name, (*path, name))


def _probe(probe: Mapping[str, Any], name: str, path: Path) -> Iterator[Problem]:
    if name == "readinessProbe" and "terminationGracePeriodSeconds" in probe:
        yield (
            gettext("a readinessProbe ends nothing, so it has no terminationGracePeriodSeconds"),
            (*path, "terminationGracePeriodSeconds"),
            True,
        )
    for field, least in _LEAST.items():
        value = probe.get(field, least)
        if value < least:
            yield (
                gettext("{field} is {number}, and the least is {least}").format(
                    field=field, number=value, least=least
                ),
                (*path, field),
                True,
            )
        if value > _MOST:
            yield (
                gettext("{field} is {number}, and the most is {most}").format(
                    field=field, number=value, most=_MOST
                ),
                (*path, field),
                True,
            )
    if name != "readinessProbe" and probe.get("successThreshold", 1) != 1:
        yield (
            gettext("successThreshold of a {name} must be 1").format(name=name),
            (*path, "successThreshold"),
            True,
        )
    handlers = [handler for handler in _HANDLERS if handler in probe]
    if len(handlers) != 1:
        yield (
            gettext("a {name} asks in one way of {ways}; this one has {found}").format(
                name=name, ways=", ".join(_HANDLERS), found=" and ".join(handlers) or gettext("none")
            ),
            path,
            True,
        )
        return
    yield from _handler(probe[handlers[0]], handlers[0], (*path, handlers[0]))


def _handler(asked: Mapping[str, Any], handler: str, path: Path) -> Iterator[Problem]:
    if handler == "exec":
        if not asked.get("command"):
            yield gettext("an exec probe has a command"), path, True
        return
    yield from _port(asked["port"], (*path, "port"))
    yield from _choices(asked, path)


def _port(port: int | str, path: Path) -> Iterator[Problem]:
    if isinstance(port, str):
        if not _PORT_NAME.fullmatch(port):
            number = gettext(": a number stands without quotes") if port.isdigit() else ""
            yield (
                gettext(
                    "{name!r} is no port's name, which has up to 15 small letters, digits and - and at "
                    "least one letter{number}"
                ).format(name=port[:60], number=number),
                path,
                False,
            )
    elif not 1 <= port <= 65_535:
        yield gettext("a port lies from 1 to 65535, and this is {port}").format(port=port), path, False


def _choices(values: Mapping[str, Any], path: Path) -> Iterator[Problem]:
    for field, choices in _CHOICES.items():
        if field in values and values[field] not in choices:
            yield (
                gettext("{field} is one of {choices}").format(field=field, choices=", ".join(choices)),
                (*path, field),
                False,
            )
