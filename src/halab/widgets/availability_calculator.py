"""The availability calculator: sliders whose sums are done in the browser, so that none lags behind the hand.

    Calculator()                      # the card's 99 %, in the course's cluster
    calculator.settings, calculator.figures, calculator.simulated

The formulas in `availability_calculator.js` mirror `halab.models.availability` and its neighbours; a test
compares them. Beside them stands a Monte Carlo simulation, which the kernel runs once the sliders rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import traitlets

from halab.cluster.profiles import PROFILES
from halab.course.catalogue import language
from halab.models.availability import (
    HOUR,
    MINUTE,
    Calendar,
    copies_needed,
    downtime,
    k_of_n,
    nines,
)
from halab.models.availability_repair import Block, Chain, milvus
from halab.models.availability_slo import burn_rate, failovers_allowed
from halab.sim.monte_carlo import YEAR, simulate_years
from halab.tables import text_table
from halab.widgets.base import CourseWidget, front_end

__all__ = ["Calculator", "chain_of", "closed_form", "percent", "simulate", "spell"]

_NINES = (0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999)
_SIMULATED = (
    "mtbf",
    "mttr",
    "copies",
    "needed",
    "beta",
    "failover",
    "blocks",
)  # what a simulation depends on
_FAILURES = 120_000  # of single copies, simulated at a stretch: a few tenths of a second
_FEWEST_YEARS, _MOST_YEARS = 20, 1000


class Calculator(CourseWidget):
    """The calculator. Times are seconds; the sliders start where the card does, at 99 % for one copy.

    `failover` is what a failover takes: put in the one you measured. `settings` follows the sliders, and
    `simulated` follows `settings`: the figures of `simulate` for the `seed`, with the settings they are for.
    Raises ValueError for settings that make no sense.
    """

    _esm, _css = front_end("availability_calculator")

    settings = traitlets.Dict().tag(sync=True)
    presets = traitlets.Dict().tag(sync=True)
    simulated = traitlets.Dict().tag(sync=True)
    seed = traitlets.Int(1).tag(sync=True)
    share = traitlets.Float(0.0).tag(sync=True)
    lang = traitlets.Enum(("en", "zh"), "en").tag(sync=True)

    def __init__(
        self,
        *,
        mtbf: float = 99 * HOUR,
        mttr: float = HOUR,
        copies: int = 3,
        beta: float = 0.0,
        failover: float = 0.0,
        slo: float = 0.999,
    ) -> None:
        presets = {name: _sizes(milvus(members)) for name, members in PROFILES.items()}
        settings = {
            "year": "365",
            "month": "30 days",
            "period": "year",
            "mtbf": float(mtbf),
            "mttr": float(mttr),
            "copies": copies,
            "needed": 1,
            "beta": beta,
            "failover": float(failover),
            "slo": slo,
            "errors": 0.01,
            "blocks": presets["ha"],
        }
        closed_form(settings)  # what makes no sense is refused here, not in the browser
        super().__init__(
            settings=settings, presets=presets, simulated=simulate(settings, seed=1), lang=language()
        )
        self.observe(self._simulate_again, names=["settings", "seed"])

    @property
    def figures(self) -> dict[str, Any]:
        """What follows from the sliders as they stand now; see `closed_form`."""
        return closed_form(self.settings)

    @property
    def chain(self) -> Chain:
        """The deployment as it stands now."""
        return chain_of(self.settings)

    def _simulate_again(self, _change: Any) -> None:
        last = self.simulated
        if last["seed"] == self.seed and last["settings"] == {key: self.settings[key] for key in _SIMULATED}:
            return
        self.simulated = simulate(self.settings, self.seed, self._progressed)
        self.share = 0.0

    def _progressed(self, share: float) -> None:
        self.share = share

    def text(self) -> str:
        """The sliders' figures and the table of nines as text."""
        return "\n\n".join((_figures(self.settings), _nines_table(calendar_of(self.settings))))


def calendar_of(settings: Mapping[str, Any]) -> Calendar:
    """The calendar the sliders stand on."""
    return Calendar(settings["year"], settings["month"])


def chain_of(settings: Mapping[str, Any]) -> Chain:
    """The deployment the sliders stand on."""
    return Chain(
        tuple(_block(settings, one["name"], one["copies"], one["needed"]) for one in settings["blocks"])
    )


def closed_form(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Every figure the calculator shows, from the sliders' plain numbers.

    `compute` in calculator.js mirrors it. Raises ValueError for settings that make no sense.
    """
    month = calendar_of(settings).month
    copies = _block(settings, "copies", settings["copies"], settings["needed"])
    chain = chain_of(settings)
    slo, failover = settings["slo"], settings["failover"]
    burn = burn_rate(settings["errors"], slo)
    return {
        "one": copies.copy_availability,
        "independent": k_of_n(copies.needed, copies.copies, copies.copy_availability),
        "common": copies.copies_alone,
        "switching": copies.switching,
        "group": copies.availability,
        "blocks": [block.availability for block in chain.blocks],
        "chain": chain.availability,
        "copies_needed": copies_needed(copies.copy_availability, slo, copies.beta),
        "budget": downtime(slo, month),
        "failovers": failovers_allowed(slo, failover, month) if failover else None,
        "burn": burn,
        "gone_in": month / burn if burn else None,
    }


def simulate(
    settings: Mapping[str, Any], seed: int, on_progress: Callable[[float], None] = lambda share: None
) -> dict[str, Any]:
    """A Monte Carlo simulation of the copies and of the chain, beside the closed form.

    Gives `settings` and `seed`, and for `group` and `chain` each: `years` simulated, `availability`, its
    standard `error`, `outages` a year, and `yearly`, the seconds of downtime in each year. `on_progress` gets
    the share that is done, 0 to 1, where the failures are too many to be simulated at a stretch.
    """
    copies = Chain((_block(settings, "copies", settings["copies"], settings["needed"]),))
    return {
        "settings": {key: settings[key] for key in _SIMULATED},
        "seed": seed,
        "group": _simulate(copies, seed, lambda share: None),
        "chain": _simulate(chain_of(settings), seed, on_progress),
    }


def _simulate(chain: Chain, seed: int, on_progress: Callable[[float], None]) -> dict[str, Any]:
    failures = sum(block.copies * YEAR / (block.mtbf + block.mttr) for block in chain.blocks)  # a year
    years = round(min(_MOST_YEARS, max(_FEWEST_YEARS, _FAILURES / failures)))
    stretch = max(1, min(years, int(1.5 * _FAILURES / failures)))
    yearly: list[float] = []
    outages = 0.0
    for number, start in enumerate(range(0, years, stretch)):
        if number:
            on_progress(start / years)
        run = simulate_years(chain, min(stretch, years - start), seed=1000 * seed + number)
        yearly += run.yearly
        outages += run.outages_per_year * len(run.yearly)
    return {
        "years": years,
        "availability": 1.0 - float(np.mean(yearly)) / YEAR,
        "error": float(np.std(yearly, ddof=1)) / years**0.5 / YEAR,
        "outages": outages / years,
        "yearly": yearly,
    }


def spell(seconds: float) -> str:
    """A time in the unit that fits it, such as "52.6 min" or "3.65 days"."""
    if seconds == 0:
        return "0 s"
    if seconds < 1e-3:
        return "under 1 ms"
    for unit, size, below in (
        ("ms", 1e-3, 0.9995),
        ("s", 1.0, 99.95),
        ("min", MINUTE, HOUR),
        ("h", HOUR, 48 * HOUR),
    ):
        if seconds < below:
            return f"{seconds / size:.3g} {unit}"
    days = seconds / (24 * HOUR)
    return f"{days:.3g} days" if days < 999.5 else f"{float(f'{days:.3g}'):,.0f} days"


def percent(availability: float) -> str:
    """A percentage with the digits its nines need, never rounded up to 100 %."""
    if availability >= 1:
        return "100 %"
    digits = min(10, max(0, int(-(-(nines(availability) - 2 - 1e-6) // 1))) + 2)
    cut = int(availability * 100 * 10**digits + 1e-4) / 10**digits
    return f"{cut:.{digits}f}".rstrip("0").rstrip(".") + " %"


def _block(settings: Mapping[str, Any], name: str, copies: int, needed: int) -> Block:
    times = {key: settings[key] for key in ("mtbf", "mttr", "beta", "failover")}
    return Block(name, copies, needed, **times)


def _sizes(chain: Chain) -> list[dict[str, Any]]:
    return [{"name": one.name, "copies": one.copies, "needed": one.needed} for one in chain.blocks]


def _figures(settings: Mapping[str, Any]) -> str:
    figures, year = closed_form(settings), calendar_of(settings).year
    chain = chain_of(settings)
    rows = [
        ("one copy", figures["one"]),
        (f"{settings['needed']} of {settings['copies']} copies, independent", figures["independent"]),
        ("with common causes", figures["common"]),
        ("and with failovers", figures["group"]),
        *((f"{one.name}, {one.needed} of {one.copies}", one.availability) for one in chain.blocks),
        ("the chain", figures["chain"]),
    ]
    allowed = figures["failovers"]
    remarks = [
        f"One copy runs for {spell(settings['mtbf'])} and is repaired in {spell(settings['mttr'])}; "
        f"{settings['beta']:.3g} of its downtime strikes all, "
        f"and a failover takes {spell(settings['failover'])}.",
        f"{percent(settings['slo'])} leaves {spell(figures['budget'])} a month"
        + ("." if allowed is None else f", which pays for {allowed:.0f} failovers."),
    ]
    cells = [(name, percent(a), spell((1 - a) * year)) for name, a in rows]
    return text_table("Availability calculator", ("", "availability", "down a year"), cells, remarks)


def _nines_table(calendar: Calendar) -> str:
    rows = [(percent(a), *(spell((1 - a) * each) for each in calendar.periods.values())) for a in _NINES]
    return text_table(f"The nines: {calendar}", ("", *(f"a {name}" for name in calendar.periods)), rows)
