"""The report of a drill that has ended: a table in a notebook; Markdown, HTML, JSON and PNG as files."""

from __future__ import annotations

import base64
import html
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from markdown_it import MarkdownIt
from matplotlib import rc_context
from matplotlib.axes import Axes

from halab.measure.journal.experiment_name import operation_in_words
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.plots import Picture, ink
from halab.measure.journal.validity import objections
from halab.measure.probing.addresses import degraded
from halab.models.samples import Outcome
from halab.protect.drill.runbook import Record, State, Targets, status_in_words
from halab.tables import Row, html_table, text_table
from halab.translation import gettext, gettext_noop, html_lang, language

__all__ = ["DrillReport"]


# What to do when a step did not go as planned: a line for whoever has to act on the report.
_ACTIONS = {
    "backup": gettext_noop("Repair the backup, and verify every backup when it is made."),
    "standby": gettext_noop("Repair the standby, and monitor it as the primary is monitored."),
    "loss": gettext_noop("Find out why the loss could not be made: the drill proved nothing yet."),
    "failover": gettext_noop("Find out what held the failover up, and rehearse it alone."),
    "service": gettext_noop(
        "Write down which operation stayed broken, and why the checks before did not see it."
    ),
    "measure": gettext_noop(
        "Make sure that rows can be counted on both clusters: without a count there is no RPO."
    ),
    "figures": gettext_noop("Make room on the disk for the drill's folder."),
    "failback": gettext_noop(
        "Bring the rows home by hand from the backups in this folder, then find out why."
    ),
}
_HEADINGS = (
    gettext_noop("step"),
    gettext_noop("who"),
    gettext_noop("from (s)"),
    gettext_noop("took (s)"),
    gettext_noop("deadline (s)"),
    gettext_noop("result"),
    gettext_noop("what was found"),
)
_COLOURS = {"done": "#2e7d32", "undone": "#8a6d00", "failed": "#b71c1c", "refused": "#b71c1c"}


@dataclass(frozen=True, repr=False)
class DrillReport:
    """A drill's report. Times are seconds; a figure is None where it was not measured."""

    title: str
    started: str
    simulated: bool
    targets: Targets
    records: tuple[Record, ...]
    rto: float | None
    rpo: float | None
    rpo_rows: int | None
    read_only: float | None
    lost_at_home: int | None
    journal: Journal | None = None
    zero: float = 0.0  # when the drill began, on the journal's clock

    @classmethod
    def of(cls, state: State, journal: Journal | None = None) -> DrillReport:
        """From a drill's state; the journal is for the picture only."""
        facts = state.facts
        first = state.records[0]
        events = () if journal is None else journal.events
        zero = next((event.time for event in events if event.component == first.name), 0.0)
        return cls(
            state.title, state.started, facts.simulated, facts.targets, tuple(state.records),
            facts.rto, facts.rpo, facts.rpo_rows, facts.read_only, facts.lost_at_home,
            journal, zero - (first.began or 0.0),
        )  # fmt: skip

    @property
    def _stopped_at(self) -> Record | None:
        """The step that was refused or failed, and so ended the drill."""
        return next((record for record in self.records if record.status in ("refused", "failed")), None)

    @property
    def _cut_off(self) -> bool:
        """True if neither the last step nor a failure ended the drill: it was cut off, and rolled back."""
        return self._stopped_at is None and any(record.status != "done" for record in self.records)

    @property
    def verdict(self) -> str:
        """One sentence: what a reader who reads no further should know."""
        if self.simulated:
            return gettext("SIMULATED: the steps were gone through, and nothing was measured.")
        if self._cut_off:
            return gettext("Not passed: it was cut off and rolled back.")
        if stopped := self._stopped_at:
            return gettext("Not passed: it ended at “{title}”, {outcome}.").format(
                title=stopped.title, outcome=self._outcome()
            )
        return (
            gettext("Passed, with targets missed.")
            if self.missed
            else gettext("Passed, and both targets were met.")
        )

    def _outcome(self) -> str:
        """What became of the clusters after a step that failed."""
        if any(record.name == "service" and record.status == "done" for record in self.records):
            return gettext("and the standby stays in charge")
        lost = any(record.name == "loss" and record.began is not None for record in self.records)
        return gettext("and was rolled back") if lost else gettext("before any harm")

    @property
    def missed(self) -> list[str]:
        """The targets that were missed, in words."""
        figures = (("RTO", self.rto, self.targets.rto), ("RPO", self.rpo, self.targets.rpo))
        return [
            gettext("{name} {measured:.1f} s, target {target:g} s").format(
                name=name, measured=measured, target=target
            )
            for name, measured, target in figures
            if measured is not None and measured > target
        ]

    @property
    def wrong(self) -> list[str]:
        """What went wrong, in words: steps refused, failed or not undone, a cut-off, missed targets."""
        steps = [
            f"{record.title}: {record.note}"
            for record in self.records
            if record.status in ("failed", "refused") or "NOT UNDONE" in record.note
        ]
        return [*steps, *[gettext("It was cut off and rolled back.")] * self._cut_off, *self.missed]

    @property
    def actions(self) -> list[str]:
        """What follows from what went wrong; where nothing did, when the next drill is due."""
        actions = [gettext(_ACTIONS[self._stopped_at.name])] if self._stopped_at else []
        if self._cut_off:
            actions.append(gettext("Find out what cut the drill off, and begin another."))
        actions += [
            gettext("Shorten what took longest, and rehearse again ({missed}).").format(missed=missed)
            for missed in self.missed
        ]
        return actions or [gettext("Put the next drill into the calendar, with another loss.")]

    def __repr__(self) -> str:
        rows = [(row[0], row[2], row[3], row[5]) for row in self._rows()]
        return text_table(
            self._heading(),
            (
                gettext_noop("step"),
                gettext_noop("from (s)"),
                gettext_noop("took (s)"),
                gettext_noop("result"),
            ),
            rows,
            self._remarks(),
        )

    def _repr_html_(self) -> str:
        return html_table(self._heading(), _HEADINGS, self._rows(), self._remarks(), align="left")

    def _heading(self) -> str:
        return f"{self.title}, {self.started}: {self.verdict}"

    def _rows(self) -> list[Row]:
        return [
            (
                f"{number} {record.title}",
                record.who,
                "-" if record.began is None else f"{record.began:.1f}",
                "-" if record.seconds is None else f"{record.seconds:.1f}",
                f"{record.deadline:g}",
                status_in_words(record.status),
                record.note,
            )
            for number, record in enumerate(self.records, 1)
        ]

    def _remarks(self) -> list[str]:
        if self.simulated:
            return [gettext("SIMULATED: no RTO, no RPO and no row was measured.")]
        remarks = [
            gettext("RTO, loss to verified service: {seconds} (target {rto:g} s).").format(
                seconds=_seconds(self.rto), rto=self.targets.rto
            ),
            gettext("RPO, writes lost at the failover: {seconds} (target {rpo:g} s), {rows} rows.").format(
                seconds=_seconds(self.rpo),
                rpo=self.targets.rpo,
                rows=gettext("not counted") if self.rpo_rows is None else self.rpo_rows,
            ),
        ]
        if self.lost_at_home is not None:
            remarks.append(
                gettext(
                    "Acknowledged rows missing after the way home: {lost_at_home}. It cost {seconds} "
                    "without writes."
                ).format(lost_at_home=self.lost_at_home, seconds=_seconds(self.read_only))
            )
        return [*remarks, *self._doubts()]

    def _doubts(self) -> list[str]:
        """Why the seconds prove nothing, and what to do; nothing where they can be trusted."""
        reasons = () if self.journal is None else objections(self.journal)
        if not reasons:
            return []
        return [
            gettext(
                "The seconds prove nothing. {reasons} Which steps were done holds all the same: for "
                "the seconds, rehearse again when little else runs."
            ).format(reasons=" ".join(reasons))
        ]

    def markdown(self) -> str:
        """The report as Markdown; the picture lies beside it."""
        return f"{self._head()}\n\n![{_cell(self._alt())}](report.png)\n\n{self._body()}"

    def page(self) -> str:
        """The report as one HTML file that needs nothing else, its picture included; it prints on A4."""
        read = MarkdownIt("commonmark", {"html": False}).enable("table")
        image = base64.b64encode(self.png()).decode()
        return (
            f'<!doctype html><html lang="{html_lang(language())}"><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{html.escape(self.title)}</title><style>{_STYLE}</style>"
            f"<main>{read.render(self._head())}"
            f'<img alt="{html.escape(self._alt())}" src="data:image/png;base64,{image}">'
            f'<div class="body">{read.render(self._body())}</div></main></html>\n'
        )

    def _head(self) -> str:
        """What a reader who has a minute needs: verdict, figures against targets, what users met."""
        begun = datetime.fromisoformat(self.started).strftime("%Y-%m-%d %H:%M:%S")
        figures = _table(("", "measured", "target", ""), self._figures())
        users = _table(
            (gettext("what users met"), "sent", gettext("no good answer"), "degraded"),
            [[str(cell) for cell in row] for row in self._users()],
        )
        parts = [
            f"# {self.title}",
            f"**{self.verdict}**",
            *self._doubts(),
            gettext("Begun {begun} UTC.").format(begun=begun),
            figures,
        ]
        return "\n\n".join([*parts, *([users] if self.journal else [])])

    def _body(self) -> str:
        wrong = self.wrong or [gettext("Nothing.")]
        listed = {gettext("What went wrong"): wrong, gettext("Actions"): self.actions}
        lists = "\n\n".join(
            f"## {name}\n\n" + "\n".join(f"- {_cell(line)}" for line in lines)
            for name, lines in listed.items()
        )
        return gettext("{lists}\n\n## Time line\n\n{table}\n").format(
            lists=lists, table=_table(_HEADINGS, self._rows())
        )

    def _figures(self) -> list[Row]:
        """Each figure beside its target, and whether it was met."""
        home, rows = self.lost_at_home, self.rpo_rows
        return [
            (gettext("RTO, loss to verified service"), *_against(self.rto, self.targets.rto)),
            (gettext("RPO, writes lost at the failover"), *_against(self.rpo, self.targets.rpo)),
            (
                gettext("rows lost at the failover"),
                gettext("not counted") if rows is None else str(rows),
                "-",
                "",
            ),
            (
                gettext("rows missing after the way home"),
                gettext("not counted") if home is None else str(home),
                "0",
                "" if home is None else gettext("MISSED") if home else gettext("met"),
            ),
            (gettext("without writes on the way home"), _seconds(self.read_only), "-", ""),
        ]

    def _users(self) -> list[tuple[str, int, int, int]]:
        """Requests of each kind of client over the whole drill: sent, without a good answer, degraded."""
        if self.journal is None:
            return []
        users = []
        for name in self.journal.header.operations:
            samples = self.journal.samples(name)
            bad = sum(sample.outcome is not Outcome.OK for sample in samples)
            users.append((name, len(samples), bad, len(degraded(samples))))
        return users

    def json(self) -> str:
        """The report as JSON, for machines."""
        fields = {
            "title": self.title, "started": self.started, "simulated": self.simulated,
            "verdict": self.verdict, "targets": asdict(self.targets), "rto": self.rto, "rpo": self.rpo,
            "rpo_rows": self.rpo_rows, "read_only": self.read_only, "lost_at_home": self.lost_at_home,
            "users": [dict(zip(("client", "sent", "bad", "degraded"), row, strict=True))
                      for row in self._users()],
            "wrong": self.wrong, "actions": self.actions, "steps": [asdict(r) for r in self.records],
        }  # fmt: skip
        return json.dumps(fields, indent=1, ensure_ascii=False) + "\n"

    def _alt(self) -> str:
        bars = gettext("; ").join(
            gettext("{title} from {began:.1f} s, {seconds:.1f} s, {status}").format(
                title=record.title,
                began=record.began,
                seconds=record.seconds,
                status=status_in_words(record.status),
            )
            for record in self.records
            if record.began is not None and record.seconds is not None
        )
        bad = gettext("; ").join(
            gettext("{name}: {bad} of {sent} without a good answer").format(
                name=operation_in_words(name), bad=bad, sent=sent
            )
            for name, sent, bad, _ in self._users()
        )
        return (
            gettext("Time line of the drill. {verdict} {names} Steps: {bars}. {bad}")
            .format(verdict=self.verdict, names=" ".join(self._remarks()), bars=bars, bad=bad)
            .strip()
        )

    def picture(self) -> Picture:
        """Steps as bars over time, the RTO beside its target, and what users met: bad requests as crosses."""
        with rc_context(ink()):
            return self._drawn()

    def _drawn(self) -> Picture:
        begun = [record for record in self.records if record.began is not None]
        names = [] if self.journal is None else list(self.journal.header.operations)
        lines = len(begun) + (self.rto is not None) + len(names)
        figure = Picture(figsize=(10, 0.42 * lines + 1.6), layout="constrained")
        figure.alt = self._alt()
        axes = figure.subplots()
        labels = [self._draw_step(axes, row, record) for row, record in enumerate(begun)]
        if self.rto is not None:
            labels.append(self._draw_rto(axes, len(labels)))
        labels += [self._draw_users(axes, len(labels) + at, name) for at, name in enumerate(names)]
        axes.set_yticks(range(len(labels)), labels)
        axes.invert_yaxis()
        axes.margins(x=0.12)
        axes.set_xlabel(
            gettext("seconds since the drill began; ×: a request without a good answer, SIMULATED")
            if self.simulated
            else gettext("seconds since the drill began; ×: a request without a good answer")
        )
        axes.set_title(self.verdict, loc="left", fontsize=11, fontweight="bold")
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        return figure

    def _draw_step(self, axes: Axes, row: int, record: Record) -> str:
        began, took = record.began or 0.0, record.seconds or 0.0
        narrowest = max(record.ended or 0.0 for record in self.records) / 250  # below that a bar is not seen
        width = max(took, narrowest)
        axes.barh(row, width, left=began, height=0.6, color=_COLOURS.get(record.status, "#616161"))
        axes.text(
            began + width,
            row,
            gettext("  {took:.1f} s, {status}").format(took=took, status=status_in_words(record.status)),
            va="center",
            fontsize=8,
        )
        return record.title

    def _draw_rto(self, axes: Axes, row: int) -> str:
        """From the loss to the verified service; the target is a mark on the same line."""
        loss = next(record.began or 0.0 for record in self.records if record.name == "loss")
        if self.journal is not None and self.journal.faults:
            loss = self.journal.faults[0].at - self.zero
        rto, target = self.rto or 0.0, self.targets.rto
        axes.plot([loss, loss + rto], [row, row], "|-", color="#0d47a1", linewidth=2, markersize=10)
        axes.plot([loss + target], [row], "D", color="#0d47a1", markerfacecolor="white")
        axes.text(
            loss + max(rto, target),
            row,
            gettext("  {rto:.1f} s, target {target:g} s").format(rto=rto, target=target),
            va="center",
            fontsize=8,
        )
        return gettext("RTO (diamond: target)")

    def _draw_users(self, axes: Axes, row: int, name: str) -> str:
        """A grey line from the first probe to the last, and a cross for each without a good answer."""
        assert self.journal is not None
        samples = self.journal.samples(name)
        times = [sample.intended - self.zero for sample in samples]
        bad = [sample.intended - self.zero for sample in samples if sample.outcome is not Outcome.OK]
        if times:
            axes.hlines(row, times[0], times[-1], color="#bdbdbd", linewidth=4, zorder=0)
        axes.plot(bad, [row] * len(bad), "x", color="#b71c1c", markersize=5)
        return gettext("{name}: {count} bad").format(name=operation_in_words(name), count=len(bad))

    def png(self) -> bytes:
        """The picture as PNG."""
        file = io.BytesIO()
        with rc_context(ink()):  # here too: some letters are laid out only now
            self.picture().savefig(file, format="png", dpi=130)
        return file.getvalue()

    def save(self, folder: str | Path) -> list[Path]:
        """Write report.md, report.html, report.json and report.png into a folder that is there."""
        folder = Path(folder)
        files = {"report.md": self.markdown(), "report.html": self.page(), "report.json": self.json()}
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
        (folder / "report.png").write_bytes(self.png())
        return [folder / name for name in (*files, "report.png")]


_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;color:#1f1f1f;background:#fff;margin:2rem auto;max-width:70rem;"
    "padding:0 1rem}h1{margin-bottom:.2em}h1+p{font-size:1.25rem;margin:0}"
    "table{border-collapse:collapse;font-size:.85rem;margin:1rem 0}th,td{border-top:1px solid #ccc;padding:"
    ".25rem .6rem;text-align:left;vertical-align:top}img{max-width:100%}.body{overflow-x:auto}"
    ".body table{min-width:44rem}"
    # On paper: the table's heading on each page, no row and no heading torn from what belongs to it.
    "@page{size:A4;margin:15mm}@media print{html,body{font-size:11px}body{margin:0;padding:0;max-width:none}"
    "thead{display:table-header-group}tr,img,li{break-inside:avoid}h2{break-after:avoid}"
    ".body{overflow:visible}.body table{min-width:0}}"
)


def _table(headings: Row, rows: Sequence[Row]) -> str:
    lines = [headings, ["---"] * len(headings), *([_cell(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _against(measured: float | None, target: float) -> tuple[str, str, str]:
    met = "" if measured is None else gettext("MISSED") if measured > target else gettext("met")
    return _seconds(measured), gettext("{time} s").format(time=f"{target:g}"), met


def _seconds(value: float | None) -> str:
    return gettext("not measured") if value is None else gettext("{time} s").format(time=f"{value:.1f}")


def _cell(text: str) -> str:
    """Text that stays one cell, and text: what Milvus says may hold any sign."""
    escaped = "".join(f"\\{sign}" if sign in "\\|`*_<>[]#" else sign for sign in text)
    return escaped.replace("\n", " ")
