"""RTO and RPO to play with: a time line with a disaster to drag, and a map of strategies with their prices.

    RecoveryPlanner()

The browser draws and computes by itself (`recovery_planner.js` beside this file); a test compares its
numbers with `halab.models.recovery`. Where no front end runs, a table stands in.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import traitlets

from halab.models.recovery import DISASTERS, Need, Recovery, Setting, Strategy, cheapest, strategies
from halab.tables import text_table
from halab.translation import gettext, gettext_noop, pgettext
from halab.widgets.base import CourseWidget, front_end

__all__ = ["RecoveryPlanner", "duration"]

_NEED = Need(rto=4 * 3600.0, rpo=3600.0, disasters=("node", "log", "site"))


class RecoveryPlanner(CourseWidget):
    """Drag the disaster, set what the service may lose, and see which strategy is the cheapest that fits.

    `setting` holds the times (seconds) and prices (a year, in any one currency) the sliders start with, all
    of them assumptions; `need` the limits, and the disasters that have to be survived.
    """

    _esm, _css = front_end("recovery_planner")

    setting = traitlets.Dict().tag(sync=True)
    need = traitlets.Dict().tag(sync=True)

    def __init__(self, setting: Setting | None = None, need: Need = _NEED) -> None:
        super().__init__(
            setting=asdict(setting or Setting()),
            need={"rto": need.rto, "rpo": need.rpo, "disasters": list(need.disasters)},
        )

    def text(self) -> str:
        offered = strategies(Setting(**self.setting))
        need = Need(**self.need)
        best = cheapest(offered, need)
        rows = [
            (
                strategy.name,
                f"{strategy.cost:.0f}",
                *(_cell(strategy.recoveries, disaster) for disaster in DISASTERS),
                _fits(strategy, need, best),
            )
            for strategy in offered
        ]
        survive = gettext(", ").join(gettext(DISASTERS[disaster]) for disaster in need.disasters)
        return text_table(
            gettext("RTO and RPO of each strategy in the worst case"),
            (gettext_noop("strategy"), gettext_noop("cost a year"), *DISASTERS, pgettext("strategy", "fits")),
            rows,
            [
                gettext("Each cell: RTO / RPO; a dash: not survived."),
                gettext("Fits: at most {rto} / {rpo} when {survive}.").format(
                    rto=duration(need.rto), rpo=duration(need.rpo), survive=survive
                ),
                gettext("Times and prices are assumptions; put in your own."),
                gettext("Cheapest that fits: {name}.").format(name=best.name)
                if best
                else gettext("None of them fits."),
            ],
        )


def _fits(strategy: Strategy, need: Need, best: Strategy | None) -> str:
    if strategy is best:
        return pgettext("strategy", "cheapest")
    return pgettext("strategy", "yes") if need.met(strategy) else pgettext("strategy", "no")


def _cell(recoveries: Mapping[Any, Recovery], disaster: str) -> str:
    worst = recoveries.get(disaster)
    return f"{duration(worst.rto)} / {duration(worst.rpo)}" if worst else "-"


def duration(seconds: float) -> str:
    """A time as people say it: "12 s", "1 h 30 min", "24 h 30 min", "2 d 6 h". Mirrored in the .js."""
    for least, size, unit, small, smaller in _UNITS:
        if seconds >= least:
            whole, rest = divmod(math.floor(seconds / small + 0.5), size // small)
            return f"{whole} {unit} {rest} {smaller}" if rest else f"{whole} {unit}"
    return gettext("{time} s").format(time=f"{seconds:.3g}")


# From so many seconds on: the unit and its seconds, and those of the next one below.
_UNITS = ((172800, 86400, "d", 3600, "h"), (3600, 3600, "h", 60, "min"), (60, 60, "min", 1, "s"))
