"""One write, copied four ways, to play with: one by one, at once, a quorum, and Milvus' way through the log.

    WriteRace()

The browser draws and computes by itself (`write_race.js` beside this file); a test compares its expected
times with `halab.models.replication`. Where no front end runs, a table stands in.
"""

from __future__ import annotations

import traitlets

from halab.models.replication import Copy, Write, parallel, quorum, serial, through_log
from halab.tables import text_table
from halab.translation import gettext, gettext_noop
from halab.widgets.base import CourseWidget, front_end

__all__ = ["WriteRace"]

_MOST = 5  # copies


class WriteRace(CourseWidget):
    """Set what a copy takes, how many there are and how many must be done, and watch one write.

    `base` and `jitter` are milliseconds: the least a copy takes, and what it takes more on average.
    """

    _esm, _css = front_end("write_race")

    base = traitlets.Float(10.0).tag(sync=True)
    jitter = traitlets.Float(10.0).tag(sync=True)
    copies = traitlets.Int(3, min=1, max=_MOST).tag(sync=True)
    needed = traitlets.Int(2, min=1, max=_MOST).tag(sync=True)

    def __init__(self) -> None:
        super().__init__()

    def expected(self) -> dict[str, Write]:
        """Mean milliseconds until the acknowledgement and until every copy has the row, by way of writing."""
        copy = Copy(self.base, self.jitter)
        return {
            gettext_noop("one by one"): serial(copy, self.copies),
            gettext_noop("all at once"): parallel(copy, self.copies),
            gettext_noop("quorum"): quorum(copy, self.copies, self.needed),
            gettext_noop("Milvus: through the log"): through_log(copy, self.copies),
        }

    def _way(self, name: str) -> str:
        if name != "quorum":
            return gettext(name)
        return gettext("quorum, {needed} of {copies}").format(needed=self.needed, copies=self.copies)

    def text(self) -> str:
        rows = [
            (self._way(name), f"{write.acknowledged:.1f}", f"{write.everywhere:.1f}")
            for name, write in self.expected().items()
        ]
        return text_table(
            gettext("One write, {copies} copies").format(copies=self.copies),
            (gettext_noop("way"), gettext_noop("acknowledged (ms)"), gettext_noop("in every copy (ms)")),
            rows,
            [
                gettext("Mean times; a copy takes {base:g} ms and {jitter:g} ms more on average.").format(
                    base=self.base, jitter=self.jitter
                ),
                gettext("The figures are made up: they show the shape, not Milvus' speed."),
            ],
        )
