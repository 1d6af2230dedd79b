"""The instructor's commands: class grade, regrade, certify, revoke, watch, slides."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from halab.commands.certificate_commands import COURSE_HOURS, Hours, Organisation, Person, ValidUntil
from halab.errors import CourseError
from halab.translation import gettext, gettext_noop, languages, ngettext, speaking

if TYPE_CHECKING:
    from halab.classroom.class_certificates import ClassCertificates
    from halab.classroom.class_grading import ClassReport, OnResult, Result
    from halab.classroom.submissions import ClassSubmissions

__all__ = ["register", "says_weaker_isolation"]

INTERRUPTED = 130  # the exit status of what Ctrl-C stopped

_STANDINGS = {
    "certified": gettext_noop("certified"),
    "certified before": gettext_noop("certified before"),
    "not complete": gettext_noop("not complete"),
    "withheld": gettext_noop("withheld"),
    "not assessed": gettext_noop("not assessed"),
}
_STATUSES = {
    "graded": gettext_noop("graded"),
    "refused": gettext_noop("refused"),
    "not graded": gettext_noop("not graded"),
}

console = Console()
messages = Console(stderr=True)


def register(app: typer.Typer) -> None:
    """Add the instructor's commands to the `halab` command."""
    group = typer.Typer(help="For instructors: grade what a class handed in.", no_args_is_help=True)
    group.command()(grade)
    group.command()(regrade)
    group.command()(certify)
    group.command()(revoke)
    group.command()(watch)
    group.command()(slides)
    app.add_typer(group, name="class")


_Folder = Annotated[
    Path,
    typer.Argument(
        metavar="FOLDER",
        help="What was handed in: hand-ins, copies of work folders, folders of nbgrader or an LMS, mixed.",
    ),
]
_Out = Annotated[
    Path | None,
    typer.Option(help="Folder for the grades; by default FOLDER-graded, beside FOLDER.", show_default=False),
]
_Jobs = Annotated[
    int | None,
    typer.Option(min=1, help="Notebooks graded at a time; by default one a CPU core.", show_default=False),
]


_Dask = Annotated[
    str,
    typer.Option(
        metavar="ADDRESS",
        help="Grade on a Dask cluster: its scheduler, such as tcp://127.0.0.1:8786. Its workers must see the "
        "course and both folders at the same paths.",
    ),
]


def grade(folder: _Folder, out: _Out = None, jobs: _Jobs = None, dask: _Dask = "") -> None:
    """Grade a class: points, reasons, a heat map and a gradebook.

    Run it again to continue after a stop, or to grade only what is new or changed.
    """
    _grade(folder, out, jobs, dask=dask)


def regrade(
    folder: _Folder,
    learners: Annotated[list[str], typer.Argument(metavar="LEARNER...", help="Whose work, by id.")],
    out: _Out = None,
    jobs: _Jobs = None,
) -> None:
    """Grade what these learners handed in afresh, and besides what is new or changed.

    The others keep their grades. So should they: the same work gets the same grade.
    """
    _grade(folder, out, jobs, again=learners)


def certify(
    folder: _Folder,
    key: Annotated[Path, typer.Option(help="The issuer's private key, made by `halab key`.")],
    organisation: Organisation = "",
    person: Person = "",
    hours: Hours = COURSE_HOURS,
    valid_until: ValidUntil = "",
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for certificates; by default FOLDER-certificates, beside FOLDER.", show_default=False
        ),
    ] = None,
    accept: Annotated[
        list[str] | None,
        typer.Option(metavar="LEARNER", help="Sign for this learner although another has the same work."),
    ] = None,
) -> None:
    """Grade everybody afresh, check their measurements, and sign for those who have all ten items.

    Who has a certificate there keeps it. The table says what the others miss, and what two learners share.
    """
    from halab.certificate.assessment import checked_terms
    from halab.certificate.signing_keys import read_key
    from halab.classroom.class_certificates import certify_class
    from halab.classroom.submissions import read_folder

    signer = read_key(key)
    terms = checked_terms(organisation, person, hours, valid_until)
    out = (out or folder.resolve().with_name(f"{folder.resolve().name}-certificates")).resolve()
    with (
        TemporaryDirectory(prefix="halab-class-") as unpacked,
        TemporaryDirectory(prefix="halab-class-") as scratch,
        messages.status(gettext("Reading what was handed in")) as status,
    ):
        submitted = read_folder(folder, Path(unpacked))
        # It takes minutes: into a file a line a learner, on a terminal each over the last.
        tell = status.update if messages.is_terminal else messages.print
        certified = certify_class(
            submitted,
            out,
            signer,
            terms,
            Path(scratch),
            accept=accept or (),
            on_learner=lambda learner, done, total: tell(
                gettext("{done} of {total}: {learner}").format(
                    done=done + 1, total=total, learner=escape(learner)
                )
            ),
        )
    _show_certificates(certified, out)
    if not certified.clear:
        raise typer.Exit(1)


def _show_certificates(certified: ClassCertificates, out: Path) -> None:
    table = Table(
        title=gettext("{name}: certificates").format(name=certified.submitted.folder.name),
        title_justify="left",
    )
    table.add_column(gettext("Learner"), overflow="fold")
    table.add_column(gettext("Standing"), overflow="fold")
    table.add_column(gettext("Items"), overflow="fold", justify="right")
    table.add_column(gettext("What is missing, or in the way"), overflow="fold")
    for result in certified.learners:
        label = certified.submitted.label(result.learner)
        table.add_row(
            *map(
                escape,
                (
                    label,
                    gettext(_STANDINGS[result.standing]),
                    gettext("{items} of 10").format(items=result.items),
                    "\n".join(result.reasons),
                ),
            )
        )
    for entry in certified.submitted.left_out:
        table.add_row(*map(escape, (f"! {entry.where}", gettext("left out"), "", entry.reason)))
    console.print(table)
    made = [result for result in certified.learners if result.files]
    console.print(
        ngettext(
            "{count} certificate was made, in {out}.", "{count} certificates were made, in {out}.", len(made)
        ).format(count=len(made), out=out),
        highlight=False,
        soft_wrap=True,
    )
    withheld = [result.learner for result in certified.learners if result.standing == "withheld"]
    if withheld:
        _say(
            gettext(
                "Withheld from {withheld}: find out whose the work is, then run it again with "
                "--accept for that learner."
            ).format(withheld=", ".join(withheld))
        )


def revoke(
    files: Annotated[list[Path], typer.Argument(metavar="CERTIFICATE...", help="Their .json files.")],
    key: Annotated[Path, typer.Option(help="The issuer's private key that signed them.")],
    reason: Annotated[str, typer.Option(help="Why they no longer hold; it is published.")],
    to: Annotated[Path, typer.Option("--list", help="The list, made if it is not there.")] = Path(
        "revoked.json"
    ),
) -> None:
    """Take certificates back: add them to the issuer's signed list, which you publish beside your key."""
    from halab.certificate.paper import record_digest
    from halab.certificate.record import read_certificate
    from halab.certificate.revocation import revoke as add
    from halab.certificate.signing_keys import read_key

    digests = [record_digest(read_certificate(file)[0].record) for file in files]
    count = add(to, digests, reason, read_key(key))
    console.print(
        gettext("{to} has {count} now. Publish it; `halab verify --revoked` reads it.").format(
            to=to, count=count
        ),
        highlight=False,
    )


def watch(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="What the seats have as HALAB_CLASS.")],
    port: Annotated[int, typer.Option(help="Port on loopback; 0 takes a free one.")] = 0,
    minutes: Annotated[float, typer.Option(min=0, help="A timer on the page.")] = 0,
    hide_names: Annotated[bool, typer.Option("--hide-names", help="For the projector.")] = False,
) -> None:
    """Show who is at which card, what passed, who is stuck or raised a hand. Until Ctrl-C."""
    from halab.classroom.roster import ROSTER, read_roster
    from halab.classroom.seat_view import read_seats, seat_page
    from halab.loopback_server import LoopbackHandler, serve_on_loopback

    roster = read_roster(folder / ROSTER) if (folder / ROSTER).exists() else {}
    ends = time.time() + 60 * minutes if minutes else None

    class Handler(LoopbackHandler):
        def do_GET(self) -> None:
            page = seat_page(read_seats(folder, roster), time.time(), hide_names=hide_names, ends=ends)
            self.answer(200, "text/html", page)

    with suppress(KeyboardInterrupt), serve_on_loopback(Handler, port) as address:
        print(address, flush=True)
        while True:
            time.sleep(1)


def slides(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to write them.")],
) -> None:
    """Make slides with speaker's notes from the cards: a page a language, shown by any browser, offline."""
    from halab.classroom.slides import write_slides

    for file in write_slides(folder):
        print(file)


def _grade(
    folder: Path, out: Path | None, jobs: int | None, again: Collection[str] = (), dask: str = ""
) -> None:
    from halab.classroom.class_grading import default_output
    from halab.classroom.submissions import read_folder

    out = (out or default_output(folder)).resolve()
    near = None
    if dask:  # whose workers need not see this machine's folder for temporary things
        near = out.parent
        near.mkdir(parents=True, exist_ok=True)
    with _executor(dask) as executor, TemporaryDirectory(prefix=".halab-class-", dir=near) as unpacked:
        _grade_all(read_folder(folder, Path(unpacked)), out, jobs, again, executor)


@contextmanager
def _executor(dask: str) -> Iterator[Executor | None]:
    """What grades on a Dask cluster; None for this machine's cores."""
    if not dask:
        yield None
        return
    try:
        client = import_module("distributed").Client(dask, timeout=10)
    except ImportError:
        raise CourseError(
            gettext("Dask is not installed here."), hint=gettext("pip install distributed, there and here.")
        ) from None
    except (OSError, ValueError) as error:
        raise CourseError(
            gettext("No Dask scheduler answers at {dask}: {error}.").format(dask=dask, error=error),
            hint=gettext("Start one: dask scheduler, and dask worker with its address."),
        ) from None
    with client:
        yield client.get_executor()


def _grade_all(
    submitted: ClassSubmissions,
    out: Path,
    jobs: int | None,
    again: Collection[str],
    executor: Executor | None,
) -> None:
    from halab.classroom.class_grading import grade_class
    from halab.classroom.gradebook import publish
    from halab.grading import grader

    for remark in (*(entry.sentence for entry in submitted.left_out), *submitted.remarks):
        _say(gettext("Note: {remark}").format(remark=remark))
    # While the first are graded: loading Matplotlib and nbgrader takes a second and a half.
    loading = Thread(target=_load_for_later, daemon=True)
    loading.start()
    with _progress(out) as on_result:
        report = grade_class(
            submitted,
            out,
            executor=executor,
            jobs=jobs,
            again=again,
            grade=grader.grade_notebook,
            on_result=on_result,
        )
    loading.join()
    from halab.classroom.feedback import write_feedback
    from halab.classroom.heatmap import save

    with messages.status(gettext("Writing the gradebook")):
        report, remarks = publish(report, out)
        save(report, out)
        write_feedback(report, out, submitted.languages)
    _show(report)
    _say_where_to_look(submitted)
    notes = {note for result in report.results for note in result.notes}
    for remark in (*remarks, *sorted(filter(says_weaker_isolation, notes))):
        _say(gettext("Note: {remark}").format(remark=remark))
    _show_files(out)
    ungraded = sum(result.status == "not graded" for result in report.results)
    if ungraded:
        _say(
            gettext(
                "{ungraded} of {count} submissions were not graded: run the same command again, with "
                "--jobs 1 if this machine was busy."
            ).format(ungraded=ungraded, count=len(report.results))
        )
    if submitted.left_out:
        count = len(submitted.left_out)
        _say(
            ngettext(
                "{count} thing was left out: see the rows with ! in the table and the reasons in grades.csv.",
                "{count} things were left out: see the rows with ! in the table and the reasons in "
                "grades.csv.",
                count,
            ).format(count=count)
        )
    if ungraded or submitted.left_out:
        raise typer.Exit(1)


def says_weaker_isolation(note: str) -> bool:
    """Whether a note is the sandbox' warning; it is in the language of the learner whose work was graded."""
    from halab.grading.sandbox.isolation import WEAKER

    for each in languages():
        with speaking(each):
            if note.startswith(gettext(WEAKER).partition("{")[0]):
                return True
    return False


def _say_where_to_look(submitted: ClassSubmissions) -> None:
    """Each note once for a learner, with its assignments; and each group whose work is alike once."""
    from halab.classroom.resemblance import notes_on

    about: dict[tuple[str, str], list[str]] = {}
    alike = notes_on(submitted.alike)
    for submission in submitted.submissions:
        for note in submission.notes:
            if note not in alike.get((submission.learner, submission.assignment), ()):
                about.setdefault((submission.learner, note), []).append(submission.assignment)
    for group in submitted.alike:
        who = ", ".join(map(submitted.label, group.learners))
        _say(
            gettext("Look at {assignment}: {sentence}").format(
                assignment=group.assignment, sentence=group.sentence(who)
            )
        )
    for (learner, note), assignments in about.items():
        _say(
            gettext("Look at {label}, {assignment}: {note}").format(
                label=submitted.label(learner), assignment=", ".join(assignments), note=note
            )
        )


def _load_for_later() -> None:
    """What is needed after the grading. Should it fail, it fails there and is seen."""
    with suppress(Exception):
        for module in ("classroom.heatmap", "grading.nbgrader_run"):
            import_module(f"halab.{module}")


@contextmanager
def _progress(out: Path) -> Iterator[OnResult]:
    """A bar with the time left on stderr, and above it a line for each thing that went wrong."""
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn(gettext("time left")),
        TimeRemainingColumn(),
    )  # fmt: skip
    reached = "None"
    with Progress(*columns, console=messages, transient=True, speed_estimate_period=300) as bar:
        task = bar.add_task(gettext("Grading"), total=None)

        def on_result(result: Result | None, done: int, total: int) -> None:
            nonlocal reached
            reached = gettext("{done} of {total}").format(done=done, total=total)
            if result is None:
                if done:
                    _say(
                        gettext(
                            "{done} of {total} submissions were graded before and have not changed."
                        ).format(done=done, total=total)
                    )
                # The bar's own count starts here, else the time left would be reckoned from earlier runs.
                bar.reset(task, total=total, completed=done)
                return
            bar.update(task, completed=done)
            if result.reason:
                _say(_problem_line(result))

        try:
            yield on_result
        except KeyboardInterrupt:
            bar.stop()
            _say(
                gettext(
                    "Stopped. {reached} are done and kept in {out}; run the same command to continue."
                ).format(reached=reached, out=out)
            )
            raise typer.Exit(INTERRUPTED) from None


def _problem_line(result: Result) -> str:
    points = (
        ""
        if result.points is None
        else gettext(", {points:g} of {out_of:g} points").format(points=result.points, out_of=result.out_of)
    )
    return gettext("{learner}, {assignment}: {status}{points}. {reason}").format(
        learner=result.learner,
        assignment=result.assignment,
        status=gettext(_STATUSES[result.status]),
        points=points,
        reason=result.reason,
    )


def _show(report: ClassReport) -> None:
    assignments = report.submitted.assignments
    out_of = sum(report.out_of(assignment) for assignment in assignments)
    table = Table(
        title=gettext("{name}: points").format(name=report.submitted.folder.name), title_justify="left"
    )
    table.add_column(gettext("Learner"), overflow="fold")
    for assignment in assignments:
        table.add_column(
            gettext("{exercise}\nof {out_of:g}").format(
                exercise=assignment[:2], out_of=report.out_of(assignment)
            ),
            justify="right",
        )
    table.add_column(gettext("All\nof {out_of:g}").format(out_of=out_of), justify="right")
    for learner in report.submitted.learners:
        results = (report.result(learner, assignment) for assignment in assignments)
        total = report.total(learner)
        total_cell = "?" if total is None else f"{total:g}"
        table.add_row(escape(report.submitted.label(learner)), *map(_cell, results), total_cell)
    for entry in report.submitted.left_out:
        table.add_row(f"! {escape(entry.where)}", *("!" for _ in assignments), "!")
    console.print(table)
    console.print(gettext("- not handed in, × 0 refused, ? not graded, ! left out"), highlight=False)


def _cell(result: Result | None) -> str:
    if result is None:
        return "-"
    if result.points is None:
        return "?"
    return f"× {result.points:g}" if result.status == "refused" else f"{result.points:g}"


def _show_files(out: Path) -> None:
    console.print(gettext("In {out}:").format(out=out), highlight=False, soft_wrap=True)
    for name, what in (
        ("grades.csv", gettext("a row a submission, with the reason where points are missing")),
        ("summary.csv", gettext("a row a learner")),
        ("anonymous.csv", gettext("the same without names and ids")),
        ("for-learners/", gettext("a page of feedback for each learner: `halab feedback FILE`")),
        ("heatmap.png, .svg", gettext("learners by cards")),
        ("gradebook.db", gettext("for nbgrader there: generate_feedback, export, formgrader")),
    ):
        console.print(f"  {name:19}{what}", highlight=False)


def _say(sentence: str) -> None:
    messages.print(sentence, markup=False, highlight=False, soft_wrap=True)
