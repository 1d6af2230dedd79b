"""The probe tuner: sliders for both probes, and what they promise: detection, false restarts, storms, YAML.

    ProbeTuner()

The browser draws and computes by itself (`probe_tuner.js` beside this file); a test compares its numbers with
`halab.models.health_probes`. Where no front end runs, a table stands in.
"""

from __future__ import annotations

import math
from dataclasses import asdict

import traitlets

from halab.course.catalogue import language
from halab.models.health_probes import CARD, HealthProbe, detection, false_restarts, restart_storm
from halab.tables import text_table
from halab.widgets.base import CourseWidget, front_end

__all__ = ["ProbeTuner", "late_share", "yaml_of"]

_READINESS = HealthProbe(period=5, timeout=3, failures=3, delay=10)
_HOUR = 3600.0


def late_share(busy: float, pause: float, timeout: float) -> float:
    """The share of answers later than `timeout` seconds, if the share `busy` meets a pause of exponentially
    distributed length with mean `pause` seconds, and all others come at once."""
    return busy * math.exp(-timeout / pause)


def yaml_of(liveness: HealthProbe, readiness: HealthProbe) -> str:
    """Both probes as Kubernetes takes them, below a container. `yaml` in probe_tuner.js is its mirror."""
    lines = []
    for name, probe in (("livenessProbe", liveness), ("readinessProbe", readiness)):
        lines += [
            f"{name}:",
            "  httpGet:",
            "    path: /healthz",
            "    port: 9091",
            f"  initialDelaySeconds: {probe.delay:g}",
            f"  periodSeconds: {probe.period:g}",
            f"  timeoutSeconds: {probe.timeout:g}",
            f"  failureThreshold: {probe.failures}",
        ]
    return "\n".join(lines) + "\n"


class ProbeTuner(CourseWidget):
    """Tune both probes and see when they notice a crash and a hang, and how often they are wrong.

    `busy` is the share of answers that meet a pause, `pause` its mean length in seconds: assumptions, to be
    replaced by one's own.
    """

    _esm, _css = front_end("probe_tuner")

    probes = traitlets.Dict().tag(sync=True)
    load = traitlets.Dict().tag(sync=True)
    lang = traitlets.Enum(("en", "zh"), "en").tag(sync=True)

    def __init__(
        self,
        liveness: HealthProbe = CARD,
        readiness: HealthProbe = _READINESS,
        busy: float = 0.01,
        pause: float = 1.0,
    ) -> None:
        super().__init__(
            probes={"liveness": asdict(liveness), "readiness": asdict(readiness)},
            load={"busy": busy, "pause": pause},
            lang=language(),
        )

    def text(self) -> str:
        rows = []
        for name, fields in self.probes.items():
            probe = HealthProbe(**fields)
            for fault in ("crash", "hang"):
                span = detection(probe, fault)
                rows.append((name, fault, f"{span.least:g} s", f"{span.mean:g} s", f"{span.most:g} s"))
        liveness = HealthProbe(**self.probes["liveness"])
        a_year = false_restarts(liveness, late_share(timeout=liveness.timeout, **self.load))
        times, down = restart_storm(_lives(liveness), _HOUR)
        table = text_table(
            "When a fault is noticed",
            ("probe", "fault", "least", "mean", "most"),
            rows,
            [
                f"Restarts of a healthy process: {a_year:.3g} a year, if pauses were independent.",
                f"A process too busy to answer: {times} restarts in an hour, down {100 * down:.0f} % of it.",
                "The card says 30 s for 10 s x 3, and 6 s for 3 s x 2.",
            ],
        )
        return f"{table}\n\n{yaml_of(liveness, HealthProbe(**self.probes['readiness']))}"


def _lives(probe: HealthProbe) -> float:
    """Seconds from a start to the next restart, of a process that never answers in time."""
    return probe.delay + detection(probe, "hang").mean
