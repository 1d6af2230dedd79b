"""The commands that tell and certify what was learnt: progress, certify, verify, key."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from halab.errors import CourseError
from halab.translation import gettext

if TYPE_CHECKING:
    from halab.certificate.assessment import Assessment
    from halab.certificate.learner_progress import Progress as Standing
    from halab.certificate.record import Terms
    from halab.certificate.signing_keys import PublicKey, SigningKey
    from halab.translation import Language

__all__ = ["COURSE_HOURS", "Hours", "Organisation", "Person", "ValidUntil", "register"]

COURSE_HOURS = 11  # as halab.certificate.record has it, which takes a second to load

Organisation = Annotated[str, typer.Option(help="Who issues it: the organisation.")]
Person = Annotated[str, typer.Option(help="Who issues it: the person.")]
Hours = Annotated[int, typer.Option(min=1, max=1000, help="Hours that the course took.")]
ValidUntil = Annotated[str, typer.Option(help="Day until which it is valid, such as 2028-11-30.")]

console = Console()
messages = Console(stderr=True)


def register(app: typer.Typer) -> None:
    """Add the commands to the `halab` command."""
    for command in (progress, certify, verify, key):
        app.command()(command)


_HandIn = Annotated[
    Path | None,
    typer.Argument(
        metavar="[HAND-IN]", help="What `halab hand-in` wrote; by default your own work.", show_default=False
    ),
]


def progress(
    file: _HandIn = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print data for machines.")] = False,
) -> None:
    """Show what you have done of each card, and what to do next; or what is in a hand-in."""
    from halab.certificate.progress_texts import next_step
    from halab.translation import language

    lang = language()
    standing = _progress_of(file)
    step = next_step(standing, lang)
    if as_json:
        print(json.dumps(standing.as_dict() | {"next": step.text}, ensure_ascii=False, indent=1))
        return
    print(_board(standing, lang))
    console.print(
        gettext("[bold]Next:[/] {step}").format(step=escape(step.text)),
        highlight=False,
    )
    for note in standing.notes:
        console.print(gettext("Note: {note}").format(note=escape(note)), highlight=False)


def _progress_of(file: Path | None) -> Standing:
    """Of the learner here, or of who made a hand-in; that has no lessons, which a note says."""
    from halab.certificate.learner_progress import progress as look

    if file is None:
        return look()
    from halab.classroom.hand_in import working_in

    with working_in(file) as handed:
        standing = look()
    note = gettext(
        "This is the hand-in of {learner}. Points are those that the learner's seat gave, and the lessons "
        "are not in it: whether they were run is not known."
    ).format(learner=f"{handed.name} ({handed.learner})" if handed.name else handed.learner)
    return replace(standing, notes=(note, *standing.notes))


def certify(
    file: _HandIn = None,
    name: Annotated[str, typer.Option(help="Your name, as it is to be printed on the certificate.")] = "",
    key: Annotated[
        Path | None,
        typer.Option(help="Sign with this private key, made by `halab key`; by default with your own."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the certificate; by default work/certificates, or beside a hand-in."),
    ] = None,
    organisation: Organisation = "",
    person: Person = "",
    hours: Hours = COURSE_HOURS,
    valid_until: ValidUntil = "",
    accept: Annotated[
        bool, typer.Option("--accept", help="Sign although another id measured some of it.")
    ] = False,
) -> None:
    """Grade all exercises again, check all journals, and sign a certificate if all ten items are met.

    If not, it lists what is missing and writes nothing. Nor does it sign what another learner measured.
    """
    from halab.certificate.assessment import checked_name, checked_terms
    from halab.certificate.signing_keys import read_key
    from halab.course.paths import work_dir
    from halab.translation import language

    if file and not key:
        raise CourseError(
            gettext("A hand-in is another's work: your own key would call itself that learner's."),
            hint=gettext("Sign it as its issuer: --key FILE, made by `halab key`."),
        )
    issuer = read_key(key) if key else None  # a wrong key or name is told before minutes of grading
    checked_name(name)
    terms = checked_terms(organisation, person, hours, valid_until)
    if file is None:
        _certify(name, issuer, terms, out or work_dir() / "certificates", language(), accept)
        return
    from halab.classroom.hand_in import working_in

    out = (out or file.parent / "certificates").absolute()
    with working_in(file) as handed:
        _certify(name or handed.name, issuer, terms, out, handed.language, accept)


def _certify(
    name: str, issuer: SigningKey | None, terms: Terms, out: Path, lang: Language, accept: bool
) -> None:
    """Assess what lies in the work folder, say what was found, and sign it into `out` if it is complete."""
    from halab.certificate.assessment import assess, issue, save
    from halab.certificate.signing_keys import own_key

    with _grading() as on_progress:
        assessment = assess(on_progress=on_progress)
    _show_items(assessment)
    if not assessment.complete:
        console.print(gettext("No certificate yet. Nothing was written."), highlight=False)
        raise typer.Exit(1)
    others = assessment.others_work()
    _list(gettext("Not this learner's"), others)
    if others and not accept:
        raise CourseError(
            gettext("Nothing was signed: another learner measured some of it."),
            hint=gettext(
                "Move those files out of journals/ and measure them yourself. If you had another id then, "
                "add --accept."
            ),
        )
    signer = issuer or own_key()
    issued = issue(assessment, name, signer, by_issuer=issuer is not None, terms=terms)
    files = save(issued, out, lang)
    console.print(
        gettext("\nSigned with the key {fingerprint}").format(fingerprint=signer.public.fingerprint),
        highlight=False,
    )
    for path in filter(None, (files.record, files.page, files.check, files.pdf)):
        print(path)
    if files.pdf_problem:
        console.print(
            gettext("No PDF was made: {pdf_problem}. Print the page instead.").format(
                pdf_problem=escape(files.pdf_problem)
            ),
            highlight=False,
        )


def verify(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help="Certificates (.json files) and backups (folders)."),
    ] = None,
    public_key: Annotated[
        Path | None,
        typer.Option(help="The public key that should have signed: FILE.pub of `halab key FILE`."),
    ] = None,
    work: Annotated[
        Path | None,
        typer.Option(
            help="A learner's work folder, to compare its notebooks and journals with the certificate."
        ),
    ] = None,
    paper: Annotated[
        str, typer.Option(help="What the QR of a printed certificate says, in place of a file.")
    ] = "",
    revoked: Annotated[
        Path | None, typer.Option(help="The issuer's list of certificates that no longer hold.")
    ] = None,
) -> None:
    """Check certificates and backups, without a network or a cluster. Exit status 1 if one fails.

    For a certificate it says what is proven and what is not. A backup must be complete and unaltered.
    """
    from halab.certificate.signing_keys import read_public_key
    from halab.certificate.verification import verify as check
    from halab.commands.backup_commands import verify_backups

    named = read_public_key(public_key) if public_key else None
    if not files and not paper:
        raise typer.BadParameter(gettext("name a FILE, or what a QR says with --paper"))
    held = _verify_paper(paper, named, revoked) if paper else True
    sound = verify_backups([path for path in files or () if path.is_dir()])
    certificates = [path for path in files or () if not path.is_dir()]
    results = check(certificates, named, work, revoked)
    for result in results:
        console.print(f"[bold]{escape(str(result.file))}[/]", highlight=False, soft_wrap=True)
        if result.certificate:
            record = result.certificate.record
            print(
                gettext("  {holder}, learner {learner}, {issued:%Y-%m-%d}").format(
                    holder=record.name or gettext("no name"), learner=record.learner, issued=record.issued
                )
            )
            print(gettext("  Record digest {digest}").format(digest=result.certificate.digest))
        for heading, mark, sentences in (
            (gettext("Fails"), "✗", result.failures),
            (gettext("Proven"), "✓", result.proven),
            (gettext("Not proven"), "–", result.unproven),
        ):
            _list(heading, [f"{mark} {sentence}" for sentence in sentences])
    if not (held and sound and all(result.ok for result in results)):
        raise typer.Exit(1)


def _verify_paper(text: str, key: PublicKey | None, revoked: Path | None) -> bool:
    from halab.certificate.verification import verify_paper

    if key is None:
        raise CourseError(
            gettext("Who signed a QR is told by the issuer's key alone."),
            hint=gettext("Name it: --public-key FILE.pub"),
        )
    paper, failures = verify_paper(text, key, revoked)
    for name, value in paper.says.items():
        print(f"  {name}: {value}")
    _list(gettext("Fails"), [f"✗ {sentence}" for sentence in failures])
    if not failures:
        _list(
            gettext("Proven"),
            [gettext("✓ The holder of key {fingerprint} signed this.").format(fingerprint=key.fingerprint)],
        )
    return not failures


def key(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Where to write the private key; keep it secret.")
    ],
) -> None:
    """For issuers: make a key to sign certificates with, FILE, and FILE.pub to hand out."""
    from halab.certificate.signing_keys import make_key
    from halab.folders import course_root

    if file.resolve().is_relative_to(course_root()):
        raise CourseError(
            gettext(
                "{file} lies in the course's folder, which goes into git and into the learners' image."
            ).format(file=file),
            hint=gettext("Keep it in a folder of your own, such as ~/halab-class."),
        )
    made = make_key(file)
    print(
        gettext("Private key: {file} (keep it secret)\nPublic key:  {file}.pub (hand it out)").format(
            file=file
        )
    )
    print(gettext("Fingerprint: {fingerprint}").format(fingerprint=made.public.fingerprint))
    print(made.public.pem().decode(), end="")


@contextmanager
def _grading() -> Iterator[Callable[[int, float], None]]:
    """A bar for each exercise on stderr, so that stdout holds the result alone."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=messages, transient=True) as bars:
        tasks: dict[int, TaskID] = {}

        def done(card: int, share: float) -> None:
            if card not in tasks:
                tasks[card] = bars.add_task(
                    gettext("Grading exercise {card:02d}").format(card=card), total=1.0
                )
            bars.update(tasks[card], completed=share)

        yield done


def _show_items(assessment: Assessment) -> None:
    """The ten items, then what is missing: each thing once."""
    from halab.course.catalogue import CHECKLIST, entry

    for number, item in enumerate(CHECKLIST, start=1):
        mark, standing = ("✓", gettext("met")) if assessment.met(item) else ("○", gettext("not met"))
        console.print(f"{mark} {number:>2} {item.words}: {standing}", highlight=False)
    _list(
        gettext("Missing"),
        [
            gettext("{card}: {problem}. Next step: {next_step}").format(
                card=str(entry(gap.card).called).capitalize(),
                problem=gap.problem,
                next_step=gap.next_step,
            )
            for gap in assessment.missing
        ],
    )
    _list(gettext("Note"), list(assessment.remarks))


def _list(heading: str, sentences: list[str]) -> None:
    if sentences:
        console.print(f"\n[bold]{heading}[/]")
    for sentence in sentences:
        console.print(Padding(Text(_plain(sentence)), (0, 0, 0, 2)))


def _plain(text: str) -> str:
    """Without what could steer the terminal: some of it is quoted from other people's files."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "?" for letter in text)


def _board(standing: Standing, lang: Language) -> str:
    from halab.certificate.progress_texts import HEADINGS, facts, items_met, state, steps_done
    from halab.course.catalogue import CERTIFIED
    from halab.tables import text_table

    rows = []
    for card in CERTIFIED:
        done = standing.cards[card.number]
        cells = [f"{'✓' if fact.done else '○'} {fact.text}" for fact in facts(done, lang)]
        if state(done) == "new":
            cells = ["–", "", "", "", ""]
        rows.append((gettext("{number}. {title}").format(number=card.number, title=card.title), *cells))
    steps, all_of = steps_done(standing)
    filled = round(20 * steps / all_of)
    count = gettext("{steps} of {all_of} steps done.").format(steps=steps, all_of=all_of)
    said = gettext("{first} {second}").format(first=count, second=items_met(standing, lang))
    heading = f"{'█' * filled}{'░' * (20 - filled)}  {said}"
    columns = max(80, shutil.get_terminal_size().columns)
    headings = (gettext("Card"), *map(gettext, HEADINGS))
    return text_table(heading, headings, rows, align="left", columns=columns)
