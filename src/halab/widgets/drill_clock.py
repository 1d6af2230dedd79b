"""A drill on paper: a checklist with its clocks beside the time line, and something that goes wrong.

    DrillClock()
    clock.plan                        # of the drill as it stands, after drags and choices

The browser works the time line out by itself (`drill_clock.js` beside this file); a test holds it equal to
`halab.models.drill_plan.plan`. Where no front end runs, a table stands in.
"""

from __future__ import annotations

import traitlets

from halab.models.drill_plan import FENCE, MINUTES, MISHAPS, ROLL_BACK, STEPS, Plan, plan
from halab.tables import text_table
from halab.translation import gettext, gettext_noop
from halab.widgets.base import CourseWidget, front_end

__all__ = ["DrillClock"]


class DrillClock(CourseWidget):
    """Eight steps with their minutes, one fault, and two targets (minutes).

    Raises ValueError for a fault there is not.
    """

    _esm, _css = front_end("drill_clock")

    steps = traitlets.List(list(STEPS)).tag(sync=True)
    faults = traitlets.List(list(MISHAPS)).tag(sync=True)
    extra = traitlets.Dict({"roll back": ROLL_BACK, "fence": FENCE}).tag(sync=True)
    minutes = traitlets.Dict().tag(sync=True)
    fault = traitlets.Unicode("none").tag(sync=True)
    backup_age = traitlets.Int(30, min=0, max=240).tag(sync=True)
    target_rto = traitlets.Int(60, min=1).tag(sync=True)
    target_rpo = traitlets.Int(60, min=1).tag(sync=True)

    def __init__(self, fault: str = "none") -> None:
        plan(MINUTES, fault)  # a fault there is not is refused here, not in the browser
        super().__init__(minutes=dict(MINUTES), fault=fault)

    @property
    def plan(self) -> Plan:
        """The time line of the drill as it stands now."""
        return plan(self.minutes, self.fault, self.backup_age)

    def text(self) -> str:
        """The time line as a table, with RTO and RPO against their targets."""
        timeline = self.plan
        rows = [(bar.step, f"{bar.start:g}", f"{bar.end:g}", bar.status) for bar in timeline.bars]
        rto = (
            gettext("none: nothing was lost")
            if timeline.rto is None
            else gettext("{rto:g} min").format(rto=timeline.rto)
        )
        rpo = (
            gettext("none: there was no failover")
            if timeline.rpo is None
            else gettext("{rpo:g} min").format(rpo=timeline.rpo)
        )
        return text_table(
            gettext("A drill with this going wrong: {fault}. It is {verdict}.").format(
                fault=self.fault, verdict=timeline.verdict
            ),
            (
                gettext_noop("step"),
                gettext_noop("from (min)"),
                gettext_noop("to (min)"),
                gettext_noop("status"),
            ),
            rows,
            [
                gettext("RTO: {rto} (target {target_rto} min). RPO: {rpo} (target {target_rpo} min).").format(
                    rto=rto, target_rto=self.target_rto, rpo=rpo, target_rpo=self.target_rpo
                ),
                gettext("All times are assumptions."),
            ],
        )
