"""A race through a balancer, to play with: four ways to choose a node, each with the same requests.

    BalancerRace()

The browser draws and computes by itself (`balancer_race.js` beside this file); a test compares it with
`halab.sim.load_balancing`, request by request. Where no front end runs, a table stands in.
"""

from __future__ import annotations

import math
from dataclasses import replace

import traitlets

from halab.sim.balancing_strategies import STRATEGIES
from halab.sim.load_balancing import Node, RaceReport, race, requests
from halab.tables import text_table
from halab.translation import gettext, gettext_noop
from halab.widgets.base import CourseWidget, front_end

__all__ = ["BalancerRace"]

_SPEED, _SECONDS, _WHEN = 50.0, 20.0, 8.0  # requests a second, length of the race, when something happens


class BalancerRace(CourseWidget):
    """Set the load, the third node's speed and what becomes of it, and watch four strategies race.

    `load` is the share of all nodes' speed that is asked for, `third` the third node's share of the others'
    speed, `event` what happens to it in the middle: nothing, it goes grey (a tenth of its speed), it leaves.
    """

    _esm, _css = front_end("balancer_race")

    load = traitlets.Float(0.7, min=0.1, max=0.95).tag(sync=True)
    third = traitlets.Float(0.5, min=0.1, max=1.0).tag(sync=True)
    event = traitlets.Enum(("none", "grey", "leaves"), "none").tag(sync=True)
    seed = traitlets.Int(1).tag(sync=True)

    def __init__(self) -> None:
        super().__init__()

    def race(self) -> dict[str, RaceReport]:
        """The same race in Python, by strategy. Its draws are Python's, so its figures differ a little."""
        last = Node(
            _SPEED * self.third,
            grey_at=_WHEN if self.event == "grey" else math.inf,
            leaves_at=_WHEN if self.event == "leaves" else math.inf,
        )
        work = requests(self.load * _SPEED * (2 + self.third), _SECONDS, self.seed)
        return {name: race([Node(_SPEED)] * 2 + [last], work, make()) for name, make in STRATEGIES.items()}

    def text(self) -> str:
        rows = [
            (
                name,
                *(_wait(outcome, share) for share in (0.5, 0.99)),
                f"{sum(answer.ok and answer.end <= _SECONDS for answer in outcome.answers) / _SECONDS:.0f}",
                str(outcome.failed),
            )
            for name, outcome in self.race().items()
        ]
        happens = {
            "none": gettext("nothing happens to it"),
            "grey": gettext("it goes grey in the middle"),
            "leaves": gettext("it leaves in the middle"),
        }
        return text_table(
            gettext("Four strategies, the same requests"),
            (
                gettext_noop("strategy"),
                gettext_noop("p50 (ms)"),
                gettext_noop("p99 (ms)"),
                gettext_noop("answers a second"),
                gettext_noop("failed"),
            ),
            rows,
            [
                gettext(
                    "Load {load:.0%} of all nodes; the third has {third:.0%} of the others' speed; {event}."
                ).format(load=self.load, third=self.third, event=happens[self.event]),
                gettext("A simulation: it shows the shape, not Milvus' speed."),
            ],
        )


def _wait(outcome: RaceReport, share: float) -> str:
    """What so many did not exceed, in milliseconds, when the race is over: who has no answer waits on."""
    soon = RaceReport(tuple(replace(answer, end=min(answer.end, _SECONDS)) for answer in outcome.answers))
    waited = soon.latency(share)
    return f"{'over ' if outcome.latency(share) > 1.05 * waited else ''}{1000 * waited:,.0f}"
