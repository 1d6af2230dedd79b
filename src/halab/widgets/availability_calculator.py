"""Three availability calculators. Their sums are done in the browser, so that none lags behind the hand.

    CopiesCalculator()                    # what another copy buys, from the card's 99 % on
    ChainCalculator(failover=10.6)        # the course's cluster, part by part, and a hundred years of it
    PromiseCalculator(failover=10.6)      # what an objective leaves, and how soon it is spent
    calculator.settings, calculator.figures

The formulas in `availability_calculator.js` mirror `halab.models.availability` and its neighbours; a test
compares them. Beside the chain stands a Monte Carlo simulation, which the kernel runs once the sliders rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import traitlets

from halab.cluster.profiles import PROFILES
from halab.models.availability import HOUR, MINUTE, Calendar, downtime, nines, parallel
from halab.models.availability_repair import Block, Chain, milvus
from halab.models.availability_slo import burn_rate, failovers_allowed
from halab.sim.monte_carlo import YEAR, simulate_years
from halab.tables import text_table
from halab.translation import gettext, gettext_noop
from halab.widgets.base import CourseWidget, front_end

__all__ = [
    "ChainCalculator",
    "CopiesCalculator",
    "PromiseCalculator",
    "chain_of",
    "percent",
    "simulate",
    "spell",
]

_NINES = (0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999)
_FAILURES = 120_000  # of single copies, simulated at a stretch: a few tenths of a second
_FEWEST_YEARS, _MOST_YEARS = 20, 1000


class _Calculator(CourseWidget):
    """What they share: `settings` follows the sliders. Times are seconds, shares lie between 0 and 1."""

    _esm, _css = front_end("availability_calculator")

    part = traitlets.Unicode().tag(sync=True)
    settings = traitlets.Dict().tag(sync=True)


class CopiesCalculator(_Calculator):
    """What another copy buys: copies of one part, any one of which is enough.

    `beta` is the share of the downtime that strikes all copies at once, `failover` what a failover takes: put
    in the one you measured. Raises ValueError for settings that make no sense.
    """

    def __init__(
        self,
        *,
        mtbf: float = 99 * HOUR,
        mttr: float = HOUR,
        copies: int = 1,
        beta: float = 0.0,
        failover: float = 0.0,
    ) -> None:
        settings = {
            "mtbf": float(mtbf),
            "mttr": float(mttr),
            "copies": copies,
            "beta": beta,
            "failover": float(failover),
        }
        _copies(settings)  # what makes no sense is refused here, not in the browser
        super().__init__(part="copies", settings=settings)

    @property
    def figures(self) -> dict[str, float]:
        """Availability of `one` copy; of all if `independent`, with `common` causes, and with `all` costs."""
        copies = _copies(self.settings)
        return {
            "one": copies.copy_availability,
            "independent": parallel([copies.copy_availability] * copies.copies),
            "common": copies.copies_alone,
            "all": copies.availability,
        }

    def text(self) -> str:
        """The figures, and what the sliders stand on."""
        settings, figures = self.settings, self.figures
        rows = [
            (gettext("one copy"), figures["one"]),
            (
                gettext("{copies} copies, independent").format(copies=settings["copies"]),
                figures["independent"],
            ),
            (gettext("with common causes"), figures["common"]),
            (gettext("and with failovers"), figures["all"]),
        ]
        return text_table(
            gettext("What another copy buys"),
            ("", gettext_noop("availability"), gettext_noop("down a year")),
            _yearly(rows),
            [_stands_on(settings)],
        )


class ChainCalculator(_Calculator):
    """A deployment as a chain of parts, each of which is needed, and years of it simulated.

    Every part runs and is repaired alike; the parts are the course's cluster, or with a press one of each.
    `simulated` follows `settings` and `seed`: see `simulate`. Raises ValueError for what makes no sense.
    """

    presets = traitlets.Dict().tag(sync=True)
    simulated = traitlets.Dict().tag(sync=True)
    seed = traitlets.Int(1).tag(sync=True)
    share = traitlets.Float(0.0).tag(sync=True)

    def __init__(
        self, *, mtbf: float = 30 * 24 * HOUR, mttr: float = HOUR, beta: float = 0.0, failover: float = 0.0
    ) -> None:
        presets = {name: _sizes(milvus(members)) for name, members in PROFILES.items()}
        settings = {
            "mtbf": float(mtbf),
            "mttr": float(mttr),
            "beta": beta,
            "failover": float(failover),
            "blocks": presets["ha"],
        }
        simulated = simulate(settings, seed=1)
        super().__init__(part="chain", settings=settings, presets=presets, simulated=simulated)
        self.observe(self._simulate_again, names=["settings", "seed"])

    @property
    def chain(self) -> Chain:
        """The deployment as it stands now."""
        return chain_of(self.settings)

    @property
    def figures(self) -> dict[str, Any]:
        """The availability of each of the `blocks`, and of the `chain`."""
        return {
            "blocks": [block.availability for block in self.chain.blocks],
            "chain": self.chain.availability,
        }

    def _simulate_again(self, _change: Any) -> None:
        if self.simulated["seed"] == self.seed and self.simulated["settings"] == self.settings:
            return
        self.simulated = simulate(self.settings, self.seed, self._progressed)
        self.share = 0.0

    def _progressed(self, share: float) -> None:
        self.share = share

    def text(self) -> str:
        """Part by part, the chain, and what the sliders stand on."""
        rows = [
            (
                gettext("{name}, {needed} of {copies}").format(
                    name=block.name, needed=block.needed, copies=block.copies
                ),
                block.availability,
            )
            for block in self.chain.blocks
        ]
        rows.append((gettext("the chain"), self.chain.availability))
        return text_table(
            gettext("A chain of parts, each of which is needed"),
            ("", gettext_noop("availability"), gettext_noop("down a year")),
            _yearly(rows),
            [_stands_on(self.settings)],
        )


class PromiseCalculator(_Calculator):
    """What an objective leaves in a month: the error budget, what it pays for, and how fast it burns.

    `slo` is the share of good requests that is promised, `failover` what a failover takes. Raises ValueError
    for settings that make no sense.
    """

    def __init__(self, *, slo: float = 0.999, failover: float = 12.0, errors: float = 0.01) -> None:
        settings = {
            "slo": slo,
            "failover": float(failover),
            "errors": errors,
            "year": "365",
            "month": "30 days",
        }
        _promise(settings)
        super().__init__(part="promise", settings=settings)

    @property
    def figures(self) -> dict[str, float | None]:
        """`budget` in seconds a month, the `failovers` it pays for (None: any number), the `burn` rate, and
        in how many seconds the budget is `gone_in` (None: never)."""
        return _promise(self.settings)

    def text(self) -> str:
        """What the objective leaves, and the table of nines."""
        figures, settings = self.figures, self.settings
        budget, allowed = figures["budget"] or 0.0, figures["failovers"]
        pays = gettext("any number of") if allowed is None else f"{allowed:.0f}"
        note = gettext(
            "{percent} leaves {budget} a month, which pays for {pays} failovers of {failover}."
        ).format(
            percent=percent(settings["slo"]),
            budget=spell(budget),
            pays=pays,
            failover=spell(settings["failover"]),
        )
        calendar = _calendar(settings)
        rows = [(percent(a), *(spell((1 - a) * each) for each in calendar.periods.values())) for a in _NINES]
        headings = ("", *(f"a {name}" for name in calendar.periods))
        return text_table(gettext("The nines: {calendar}").format(calendar=calendar), headings, rows, [note])


def chain_of(settings: Mapping[str, Any]) -> Chain:
    """The deployment the sliders stand on."""
    return Chain(
        tuple(
            _block(settings, block["name"], block["copies"], block["needed"]) for block in settings["blocks"]
        )
    )


def simulate(
    settings: Mapping[str, Any], seed: int, on_progress: Callable[[float], None] = lambda share: None
) -> dict[str, Any]:
    """A Monte Carlo simulation of the chain, beside the closed form.

    Gives `settings` and `seed`, the `years` simulated, the `availability`, its standard `error`, and
    `yearly`, the seconds of downtime in each year. `on_progress` gets the share that is done, 0 to 1, where
    the failures are too many to be simulated at a stretch.
    """
    chain = chain_of(settings)
    failures = sum(block.copies * YEAR / (block.mtbf + block.mttr) for block in chain.blocks)  # a year
    years = round(min(_MOST_YEARS, max(_FEWEST_YEARS, _FAILURES / failures)))
    stretch = max(1, min(years, int(1.5 * _FAILURES / failures)))
    yearly: list[float] = []
    for number, start in enumerate(range(0, years, stretch)):
        if number:
            on_progress(start / years)
        yearly += simulate_years(chain, min(stretch, years - start), seed=1000 * seed + number).yearly
    return {
        "settings": dict(settings),
        "seed": seed,
        "years": years,
        "availability": 1.0 - float(np.mean(yearly)) / YEAR,
        "error": float(np.std(yearly, ddof=1)) / years**0.5 / YEAR,
        "yearly": yearly,
    }


def spell(seconds: float) -> str:
    """A time in the unit that fits it, such as "52.6 min" or "3.65 days"."""
    if seconds == 0:
        return "0 s"
    if seconds < 1e-3:
        return gettext("under 1 ms")
    for unit, size, below in (
        ("ms", 1e-3, 0.9995),
        ("s", 1.0, 99.95),
        ("min", MINUTE, HOUR),
        ("h", HOUR, 48 * HOUR),
    ):
        if seconds < below:
            return f"{seconds / size:.3g} {unit}"
    days = seconds / (24 * HOUR)
    return (
        gettext("{days:.3g} days").format(days=days)
        if days < 999.5
        else gettext("{count:,.0f} days").format(count=float(f"{days:.3g}"))
    )


def percent(availability: float) -> str:
    """A percentage with the digits its nines need, never rounded up; beyond nine nines it is words."""
    if 1 - availability < 0.999e-9:
        return gettext("more than 99.9999999 %")
    digits = max(0, int(-(-(nines(availability) - 2 - 1e-6) // 1))) + 2
    cut = int(availability * 100 * 10**digits + 1e-4) / 10**digits
    return f"{cut:.{digits}f}".rstrip("0").rstrip(".") + " %"


def _block(settings: Mapping[str, Any], name: str, copies: int, needed: int) -> Block:
    times = {key: settings[key] for key in ("mtbf", "mttr", "beta", "failover")}
    return Block(name, copies, needed, **times)


def _copies(settings: Mapping[str, Any]) -> Block:
    return _block(settings, "copies", settings["copies"], 1)


def _calendar(settings: Mapping[str, Any]) -> Calendar:
    return Calendar(settings["year"], settings["month"])


def _promise(settings: Mapping[str, Any]) -> dict[str, float | None]:
    month = _calendar(settings).month
    failover, burn = settings["failover"], burn_rate(settings["errors"], settings["slo"])
    allowed = failovers_allowed(settings["slo"], failover, month)
    return {
        "budget": downtime(settings["slo"], month),
        "failovers": allowed if failover else None,
        "burn": burn,
        "gone_in": month / burn if burn else None,
    }


def _sizes(chain: Chain) -> list[dict[str, Any]]:
    return [{"name": block.name, "copies": block.copies, "needed": block.needed} for block in chain.blocks]


def _yearly(rows: list[tuple[str, float]]) -> list[tuple[str, str, str]]:
    return [(name, percent(a), spell((1 - a) * YEAR)) for name, a in rows]


def _stands_on(settings: Mapping[str, Any]) -> str:
    return gettext(
        "One copy runs for {mtbf} and is repaired in {mttr}; {beta:.3g} of its downtime "
        "strikes all, and a failover takes {failover}."
    ).format(
        mtbf=spell(settings["mtbf"]),
        mttr=spell(settings["mttr"]),
        beta=settings["beta"],
        failover=spell(settings["failover"]),
    )
