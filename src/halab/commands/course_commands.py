"""The course's commands: lab, grade, hint, hand-in, feedback, build, translations."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from halab.commands.help_texts import help_texts
from halab.errors import CourseError, SubmissionError
from halab.translation import gettext, languages, ngettext

if TYPE_CHECKING:
    from halab.grading.grader import Check, GradeReport

__all__ = ["register"]

console = Console()
messages = Console(stderr=True)


def register(app: typer.Typer) -> None:
    """Add the course's commands to the `halab` command."""
    for command in (lab, grade, hint, hand_in, hand, feedback, build, translations):
        app.command()(command)


def lab(
    port: Annotated[int, typer.Option(help="Port to serve on; the next free one if it is taken.")] = 8888,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the URL and open no browser.")
    ] = False,
) -> None:
    """Open the course in JupyterLab. You work on copies under work/."""
    from halab.course.jupyterlab import start_lab
    from halab.course.workspace import outdated_copies

    for sentence in outdated_copies():
        messages.print(gettext("Note: {sentence}").format(sentence=sentence), highlight=False)
    start_lab(port, browser=not no_browser)


def grade(
    what: Annotated[
        str,
        typer.Argument(metavar="CARD", help='A card\'s number, such as 06, or "all": those you have begun.'),
    ] = "all",
    as_json: Annotated[bool, typer.Option("--json", help="Print data for machines.")] = False,
) -> None:
    """Grade your exercises: points, and what is still missing."""
    from halab.grading.grader import GradeReport, grade_all

    cards = _cards(what)
    if not messages.is_terminal:  # such as `!halab grade` in a notebook, where no bar moves
        messages.print(
            ngettext(
                "Grading {count} exercise, for up to a minute on a busy machine ...",
                "Grading {count} exercises, each for up to a minute on a busy machine ...",
                len(cards),
            ).format(count=len(cards)),
            highlight=False,
        )
    with _progress(cards) as on_progress:
        results = grade_all(cards, on_progress)
    reports = [result for result in results.values() if isinstance(result, GradeReport)]
    if as_json:
        print(json.dumps([report.as_dict() for report in reports], ensure_ascii=False, indent=1))
    else:
        for report in reports:
            _show(report)
    refused = {card: result for card, result in results.items() if isinstance(result, SubmissionError)}
    for card, error in refused.items():
        messages.print(
            gettext("Exercise {card} was not graded: {error}").format(card=card, error=error),
            markup=False,
            highlight=False,
        )
    if refused:
        raise typer.Exit(1)


def hint(
    task: Annotated[
        str,
        typer.Argument(metavar="TASK", help="A task, such as 06.2, or one topic of it, such as 06.2.jitter."),
    ],
) -> None:
    """Give the next of three hints for a task. No hint tells the answer."""
    from halab.grading.hints import STEPS, next_hint

    given = next_hint(task)
    console.print(
        gettext("[bold]{step}[/] (hint {number} of {count}, {topic})").format(
            step=given.step, number=given.number, count=len(STEPS), topic=given.topic
        )
    )
    console.print(given.text, markup=False, highlight=False)
    if given.number < len(STEPS):
        console.print(gettext("The next one: halab hint {topic}").format(topic=given.topic), highlight=False)


def hand_in(
    name: Annotated[str, typer.Option(help="Your name, for the instructor's tables.")] = "",
    out: Annotated[
        Path | None, typer.Option(help="Folder for the file; by default work/hand-in.", show_default=False)
    ] = None,
) -> None:
    """Pack what you have done into one file, to give to your instructor."""
    from halab.classroom.hand_in import hand_in as pack

    console.print(pack(name, out).sentence(), highlight=False, soft_wrap=True, markup=False)


def hand(
    down: Annotated[bool, typer.Option("--down", help="Lower it again.")] = False,
) -> None:
    """Raise your hand: your instructor sees it, if your seat was started for a class."""
    from halab.course.seat import tell_class

    if not tell_class("lowered the hand" if down else "raised a hand"):
        raise CourseError(
            gettext("This seat was not started for a class, or the class's folder cannot be written."),
            hint=gettext("Raise your own hand; or ask for the folder, and set HALAB_CLASS to it."),
        )
    console.print(
        gettext("Your hand is down.") if down else gettext("Your hand is up. Lower it: halab hand --down")
    )


def feedback(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The page that your instructor sent you.")],
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print it, and open no browser.")] = False,
) -> None:
    """Show the feedback on what you handed in, and open its page."""
    import webbrowser

    from halab.classroom.feedback import feedback_text, read_feedback

    print(feedback_text(read_feedback(file)))
    if not no_browser:
        webbrowser.open(file.resolve().as_uri())


def build(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit status 1 if exercises/ is not up to date.")
    ] = False,
) -> None:
    """For authors: generate exercises/, which learners get, from solutions/."""
    from halab.grading.release import build_exercises, stale_exercises

    if not check:
        changed = build_exercises()
        console.print(
            "\n".join(changed) if changed else gettext("exercises/ was up to date."), highlight=False
        )
        return
    stale = stale_exercises()
    if stale:
        raise CourseError(
            gettext("exercises/ should be what solutions/ gives, but these differ: {stale}.").format(
                stale=", ".join(stale)
            ),
            hint=gettext("Edit solutions/ only, run `halab build`, and commit both."),
        )
    console.print(gettext("exercises/ is what solutions/ gives."), highlight=False)


def translations(
    context: typer.Context,
    of: Annotated[str, typer.Argument(metavar="LANGUAGE", help="A language but English, such as zh.")],
    add: Annotated[
        bool, typer.Option("--add", help="Write each missing section, and each new message of the code.")
    ] = False,
    accept: Annotated[
        list[Path] | None,
        typer.Option("--accept", help="A file whose every section now says what the English says."),
    ] = None,
) -> None:
    """For authors and translators: what lessons, exercises, hints and messages lack in a language."""
    from halab.course import translation_check

    helps = help_texts(context.find_root().command)
    if of not in languages()[1:]:
        raise CourseError(
            gettext("A language but English is {names}, not {of!r}.").format(
                names=" or ".join(languages()[1:]), of=of
            )
        )
    for path in accept or []:
        count = translation_check.accept(path.resolve())
        console.print(
            gettext("{path}: {count} sections accepted.").format(path=path, count=count), highlight=False
        )
    if add:
        for path in translation_check.add_missing(of):
            console.print(
                gettext("{path}: sections were added in English.").format(path=path), highlight=False
            )
        translation_check.update_catalogue(of, helps)
    left = translation_check.gaps(of, helps)
    for gap in left:
        console.print(str(gap), markup=False, highlight=False)
    if left:
        raise CourseError(
            gettext("{count} texts are to be translated.").format(count=len(left)),
            hint=gettext("Write them, then run this with --accept and the file."),
        )
    console.print(gettext("Every text is translated."), highlight=False)


def _cards(what: str) -> list[int]:
    from halab.course.catalogue import exercises
    from halab.course.paths import work_dir

    if what == "all":
        begun = [card for card in exercises() if (work_dir() / "exercises" / card.slug).is_dir()]
        return [card.number for card in begun or exercises()]
    if not what.isdecimal():
        raise CourseError(
            gettext('Say which exercise to grade: its card, such as 06, or "all", not {what!r}.').format(
                what=what
            )
        )
    return [int(what)]


@contextmanager
def _progress(cards: list[int]) -> Iterator[Callable[[int, float], None]]:
    """A bar for each exercise on stderr, so that stdout holds the result alone."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=messages, transient=True) as bars:
        tasks = {
            card: bars.add_task(gettext("Grading exercise {card}").format(card=card), total=1.0)
            for card in cards
        }

        def done(card: int, share: float) -> None:
            bars.update(tasks[card], completed=share)

        yield done


def _show(report: GradeReport) -> None:
    from halab.course.catalogue import entry
    from halab.translation import language

    title = gettext("Exercise {card}: {title}").format(
        card=report.card, title=entry(report.card).title.in_(language())
    )
    table = Table(
        title=title,
        title_justify="left",
        caption=gettext("{time} s").format(time=f"{report.seconds:.1f}"),
        caption_justify="right",
    )
    table.add_column(gettext("Task"))
    table.add_column(gettext("Check"))
    table.add_column(gettext("Points"), justify="right")
    table.add_column(gettext("What is missing"))
    for check in report.checks:
        table.add_row(
            check.task,
            check.title_in(language()),
            f"{check.points:g} / {check.out_of:g}",
            escape(check.behaviour),  # a learner's error may hold brackets
        )
    table.add_section()
    table.add_row(
        "",
        gettext("[bold]All[/]"),
        gettext("[bold]{points:g} / {out_of:g}[/]").format(points=report.points, out_of=report.out_of),
        "",
    )
    console.print(table)
    for note in report.notes:
        console.print(gettext("Note: {note}").format(note=note), markup=False, highlight=False)
    if report.points == report.out_of:
        console.print(gettext("All points. What is next: halab progress"), highlight=False)
    for check in _first_failures(report):
        console.print(
            gettext("Task {task}, next step: halab hint {hint}").format(task=check.task, hint=check.hint),
            highlight=False,
        )


def _first_failures(report: GradeReport) -> list[Check]:
    """The first failed check of each task: one thing at a time."""
    first: dict[str, Check] = {}
    for check in report.checks:
        if not check.passed:
            first.setdefault(check.task, check)
    return list(first.values())
