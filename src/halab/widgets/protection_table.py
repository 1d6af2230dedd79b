"""Disasters against protections: tick what you have, and see what is survived, how fast, and at which loss.

    ProtectionTable()
    table.answers                     # of the table as it stands, after ticks and drags

The browser picks the best by itself (`protection_table.js` beside this file), from the cells of
`halab.models.protection`; a test holds both equal. Where no front end runs, a table stands in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import traitlets

from halab.models.protection import CELLS, DISASTERS, PROTECTIONS, Answer, Times, best, recovery
from halab.models.recovery import HOUR, Periodic
from halab.tables import text_table
from halab.translation import gettext, gettext_noop, name_list
from halab.widgets.base import CourseWidget, front_end
from halab.widgets.recovery_planner import duration

__all__ = ["ProtectionTable"]


class ProtectionTable(CourseWidget):
    """Eight disasters, five protections. `have` follows the ticks; `interval` is hours between two backups.

    Raises ValueError for a protection there is not.
    """

    _esm, _css = front_end("protection_table")

    have = traitlets.List().tag(sync=True)
    interval = traitlets.Int(24, min=1, max=48).tag(sync=True)
    cells = traitlets.List().tag(sync=True)
    times = traitlets.Dict().tag(sync=True)
    disasters = traitlets.List(list(DISASTERS)).tag(sync=True)
    protections = traitlets.List(list(PROTECTIONS)).tag(sync=True)

    def __init__(self, have: Iterable[str] = ("replicas",)) -> None:
        have = list(have)
        best(have)  # a name there is not is refused here, not in the browser
        super().__init__(
            have=have,
            **self.told(),
            times={name: list(recovery(name, Times())) for name in PROTECTIONS},
        )

    def told(self) -> dict[str, Any]:
        return {"cells": [{**asdict(cell), "why": gettext(cell.why)} for cell in CELLS]}

    @property
    def answers(self) -> tuple[Answer, ...]:
        """The best against each disaster as the table stands now."""
        backups = Periodic(self.interval * HOUR, Times().backups.takes)
        return best(self.have, Times(backups=backups))

    def text(self) -> str:
        """The best answer to each disaster, with its worst times."""
        rows = [
            (answer.disaster, gettext("nothing helps"), "-", "-")
            if not answer.protection
            else (
                answer.disaster,
                answer.protection + (gettext(" (on a condition)") if answer.helps == "if" else ""),
                duration(answer.rto),
                duration(answer.rpo),
            )
            for answer in self.answers
        ]
        heading = gettext("You have: {protections}; a backup every {interval} h").format(
            protections=name_list(self.have) or gettext("nothing"), interval=self.interval
        )
        return text_table(
            heading,
            (
                gettext_noop("disaster"),
                gettext_noop("what helps"),
                gettext_noop("RTO up to"),
                gettext_noop("RPO up to"),
            ),
            rows,
            [gettext("All times are assumptions.")],
            align="left",
        )
