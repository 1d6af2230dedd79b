"""The probe tuner: sliders for both probes, and what they promise: detection, false restarts, storms, YAML.

    ProbeTuner()

The browser draws and computes by itself (`probe_tuner.js` beside this file); a test compares its numbers with
`halab.models.health_probes`. Where no front end runs, a table stands in.
"""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import get_args

import traitlets

from halab.models.health_probes import (
    CARD,
    Asks,
    HealthProbe,
    detection,
    false_restarts,
    restart_storm,
)
from halab.tables import text_table
from halab.translation import gettext, gettext_noop, pgettext
from halab.widgets.base import CourseWidget, front_end

__all__ = ["ProbeTuner", "late_share", "yaml_of"]

_READINESS = HealthProbe(period=5, timeout=3, failures=3, delay=10)
_HOUR = 3600.0
_NEVER = 1e-6  # restarts a year


def late_share(busy: float, pause: float, timeout: float) -> float:
    """The share of answers later than `timeout` seconds, if the share `busy` meets a pause of exponentially
    distributed length with mean `pause` seconds, and all others come at once."""
    return busy * math.exp(-timeout / pause)


def yaml_of(liveness: HealthProbe, readiness: HealthProbe, asks: Asks = "httpGet") -> str:
    """Both probes as Kubernetes takes them, below a container; `asks` is how the liveness probe does.

    `yaml` in probe_tuner.js is its mirror.
    """
    lines = []
    for name, probe, how in (("livenessProbe", liveness, asks), ("readinessProbe", readiness, "httpGet")):
        lines += [
            f"{name}:",
            f"  {how}:",
            *(["    path: /healthz"] if how == "httpGet" else []),
            "    port: 9091",
            f"  initialDelaySeconds: {probe.delay:g}",
            f"  periodSeconds: {probe.period:g}",
            f"  timeoutSeconds: {probe.timeout:g}",
            f"  failureThreshold: {probe.failures}",
        ]
    return "\n".join(lines) + "\n"


class ProbeTuner(CourseWidget):
    """Tune both probes and see when they notice a crash and a hang, and how often they are wrong.

    `asks` is how the liveness probe asks; readiness asks /healthz. `busy` is the share of answers that meet a
    pause, `pause` its mean length in seconds: assumptions, to be replaced by one's own.
    """

    _esm, _css = front_end("probe_tuner")

    probes = traitlets.Dict().tag(sync=True)
    asks = traitlets.Enum(get_args(Asks), "httpGet").tag(sync=True)
    load = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        liveness: HealthProbe = CARD,
        readiness: HealthProbe = _READINESS,
        busy: float = 0.01,
        pause: float = 1.0,
        asks: Asks = "httpGet",
    ) -> None:
        super().__init__(
            probes={"liveness": asdict(liveness), "readiness": asdict(readiness)},
            asks=asks,
            load={"busy": busy, "pause": pause},
        )

    def text(self) -> str:
        rows = []
        for name, fields in self.probes.items():
            asks: Asks = self.asks if name == "liveness" else "httpGet"
            for fault in ("crash", "hang"):
                span = detection(HealthProbe(**fields), fault, asks)
                rows.append(
                    (gettext(name), gettext(fault), *map(_seconds, (span.least, span.mean, span.most)))
                )
        liveness = HealthProbe(**self.probes["liveness"])
        table = text_table(
            gettext("When a fault is noticed"),
            (
                gettext_noop("probe"),
                gettext_noop("fault"),
                gettext_noop("least"),
                gettext_noop("mean"),
                gettext_noop("most"),
            ),
            rows,
            [*self._restarts(liveness), gettext("The card says 30 s for 10 s x 3, and 6 s for 3 s x 2.")],
        )
        return f"{table}\n\n{yaml_of(liveness, HealthProbe(**self.probes['readiness']), self.asks)}"

    def _restarts(self, liveness: HealthProbe) -> list[str]:
        if self.asks == "tcpSocket":
            return [gettext("Restarts of a process that is busy or hangs: none, its port stays open.")]
        a_year = false_restarts(liveness, late_share(timeout=liveness.timeout, **self.load))
        times, down = restart_storm(_lives(liveness), _HOUR)
        return [
            gettext("A healthy process is restarted {often}, if pauses are independent.").format(
                often=_often(a_year)
            ),
            gettext(
                "A process too busy to answer: {times} restarts in an hour, down {share:.0f} % of it."
            ).format(times=times, share=100 * down),
        ]


def _often(a_year: float) -> str:
    """So many times a year in words, to two digits."""
    if a_year < _NEVER:
        return gettext("practically never")
    if a_year >= 1:
        return gettext("{count:,.0f} times a year").format(count=float(f"{a_year:.2g}"))
    return gettext("once in {count:,.0f} years").format(count=float(f"{1 / a_year:.2g}"))


def _seconds(time: float) -> str:
    return pgettext("verdict", "never") if math.isinf(time) else f"{time:g} s"


def _lives(probe: HealthProbe) -> float:
    """Seconds from a start to the next restart, of a process that never answers in time."""
    return probe.delay + detection(probe, "hang").mean
