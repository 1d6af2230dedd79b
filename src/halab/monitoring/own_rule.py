"""An alert rule that somebody wrote: read, checked with promtool, and tried on what Prometheus has seen."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from halab.cluster.kept_processes import find_program
from halab.errors import MeasurementError
from halab.models.validation import did_you_mean
from halab.monitoring.monitor import Monitor
from halab.translation import gettext

__all__ = ["OwnRule", "read_rule", "spans", "unknown_metrics"]

STEP = 2.0
"""Seconds between two looks at a rule, as the Prometheus beside a cluster has it."""

_MOST_CHARACTERS = 4000
_KEYS = ("alert", "expr", "for", "labels", "annotations")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_METRIC = re.compile(r"\b(?:milvus|etcd|halab)_[a-z_0-9]+\b")


@dataclass(frozen=True, slots=True)
class OwnRule:
    """An alert rule. `wait` is its `for` in seconds; `file` is a file of rules with this one in it."""

    alert: str
    expr: str
    wait: float
    file: str


class _Loader(yaml.SafeLoader):
    """Refuses a key that is there twice, as Prometheus does: YAML takes the last without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [key.value for key, _ in node.value]
        if doubled := next((key for key in keys if keys.count(key) > 1), None):
            raise yaml.constructor.ConstructorError(
                None, None, gettext("the key {key} is there twice").format(key=doubled), node.start_mark
            )
        return super().construct_mapping(node, deep)


def read_rule(text: str) -> OwnRule:
    """Read one alert rule of a Prometheus rule file, and let promtool check it, where it is installed.

    Raises MeasurementError that says what is wrong with it.
    """
    if len(str(text)) > _MOST_CHARACTERS:
        raise _wrong(gettext("it has more than {most} characters").format(most=_MOST_CHARACTERS))
    try:
        rule = yaml.load(str(text), _Loader)
    except yaml.YAMLError as error:
        raise _wrong(gettext("it is no YAML: {error}").format(error=" ".join(str(error).split()))) from None
    except (ValueError, LookupError, RecursionError):  # a 13th month, `!!int ""`, a thousand brackets
        raise _wrong(gettext("it holds a value that is not what it is written as")) from None
    if isinstance(rule, list) and len(rule) == 1:
        (rule,) = rule  # as it is copied from a file
    if not isinstance(rule, dict):
        raise _wrong(gettext("it should be one rule, with the keys alert and expr"))
    for key in rule:
        if key not in _KEYS:
            raise _wrong(gettext("it has no key {key}. {meant}").format(
                key=key, meant=did_you_mean(str(key), _KEYS)
            ).strip())  # fmt: skip
    for key in ("alert", "expr"):
        if not isinstance(rule.get(key), str) or not rule[key].strip():
            raise _wrong(gettext("its key {key} is missing, or is no text").format(key=key))
    wait = _seconds(rule.get("for", "0s"))
    labels = rule.get("labels") or {}
    if not isinstance(labels, dict):
        raise _wrong(gettext("its labels are names with values, such as severity: page"))
    rule["labels"] = {"severity": "page", **labels}
    file = yaml.safe_dump({"groups": [{"name": "own", "rules": [rule]}]})
    _check(file)
    return OwnRule(rule["alert"].strip(), rule["expr"].strip(), wait, file)


def spans(series: Sequence[dict[str, Any]], step: float = STEP) -> list[tuple[float, float]]:
    """When an expression gave something without a break: from and until when, by each of its series."""
    held: list[tuple[float, float]] = []
    for each in series:
        times = [float(at) for at, _ in each["values"]]
        breaks = [at for at in range(1, len(times)) if times[at] - times[at - 1] > 1.5 * step]
        ends = zip([0, *breaks], [*breaks, len(times)], strict=True)
        held += [(times[first], times[after - 1]) for first, after in ends]
    return sorted(held)


def unknown_metrics(watch: Monitor, expression: str) -> list[str]:
    """The metrics of an expression that Prometheus has never seen, each with what may have been meant."""
    known = watch.metrics()
    return [
        f"{name}. {did_you_mean(name, known)}".strip()
        for name in dict.fromkeys(_METRIC.findall(expression)) if name not in known
    ]  # fmt: skip


def _seconds(words: Any) -> float:
    parts = re.fullmatch(r"(?:\d+(?:ms|s|m|h))+", str(words))
    if not parts:
        raise _wrong(
            gettext("its `for` is a time such as 30s or 2m, found {duration}").format(duration=words)
        )
    return sum(float(n) * _UNITS[unit] for n, unit in re.findall(r"(\d+)(ms|s|m|h)", str(words)))


def _check(file: str) -> None:
    promtool = find_program("promtool")
    if promtool is None:
        return  # then Prometheus says it, when it is asked
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "own.yml")
        path.write_text(file)
        ran = subprocess.run(
            [promtool, "check", "rules", str(path)], capture_output=True, text=True, check=False, timeout=20
        )
    if ran.returncode:
        output = " ".join((ran.stdout + ran.stderr).split())
        raise _wrong(gettext("promtool says: {said}").format(
            said=output.rpartition("could not parse expression: ")[2].rpartition(f"{path}: ")[2]
        ))  # fmt: skip


def _wrong(what: str) -> MeasurementError:
    return MeasurementError(
        gettext("That is no alert rule: {what}.").format(what=what.rstrip(".")),
        hint=gettext("look how a rule of docs/production/alerts.yaml is written"),
    )
