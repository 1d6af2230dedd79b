"""The settings of a health probe, which exercise 9 gives a learner. `health_probes` has what follows."""

from __future__ import annotations

from dataclasses import dataclass

from halab.models.validation import not_negative, positive
from halab.translation import gettext

__all__ = ["HealthProbe"]


@dataclass(frozen=True, slots=True)
class HealthProbe:
    """The numbers of a health probe, with Kubernetes' defaults.

    They are periodSeconds, timeoutSeconds, failureThreshold, initialDelaySeconds and successThreshold. Raises
    ValueError below Kubernetes' least values.
    """

    period: float = 10.0
    timeout: float = 1.0
    failures: int = 3
    delay: float = 0.0
    successes: int = 1

    def __post_init__(self) -> None:
        positive(period=self.period, timeout=self.timeout)
        not_negative(delay=self.delay)
        for name in ("failures", "successes"):
            value = getattr(self, name)
            if not (isinstance(value, int) and value >= 1):
                raise ValueError(
                    gettext("{name} must be a whole number from 1, not {number}").format(
                        name=name, number=value
                    )
                )
