"""The certificate: what it asks for, what of it is met, and the signed files when all is.

assess()     grades the learner's copies afresh and checks the journals; what the board says does not count
issue(...)   signs what was found, if all ten items are met
save(...)    the record as JSON, a page to print, and a PDF where a browser can make one
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

from halab.certificate.certificate_page import page
from halab.certificate.check_page import check_page
from halab.certificate.evidence import Evidence, evidence, foreseen
from halab.certificate.paper import paper_text
from halab.certificate.pdf import print_pdf
from halab.certificate.record import (
    COURSE,
    PASS_MARK,
    Certificate,
    CourseName,
    ExercisePin,
    JournalPin,
    Record,
    Terms,
    items,
    passes,
)
from halab.certificate.signing_keys import SigningKey
from halab.course.catalogue import CERTIFIED, CHECKLIST, Entry, Item
from halab.course.identity import learner_id, measured_by_others
from halab.course.paths import course_root, work_dir
from halab.course.store import create_once
from halab.errors import CourseError, SubmissionError
from halab.folders import read_plain
from halab.grading.grader import GradeReport, grade_notebook, last_grade
from halab.grading.preparation import MAX_BYTES
from halab.translation import Language, gettext, language

__all__ = [
    "Assessment",
    "CertificateFiles",
    "Missing",
    "assess",
    "checked_name",
    "checked_terms",
    "issue",
    "save",
]


class Grader(Protocol):
    """How `halab.grading.grader.grade_notebook` is called."""

    def __call__(
        self, copy: Path, name: str, learner: str, on_progress: Callable[[float], None] = ..., /
    ) -> GradeReport: ...


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that is missing for a card's item, and what to do about it."""

    card: int
    problem: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Assessment:
    """What a learner has to show now.

    `remarks` are sentences: where the board has another grade, and which journals do not count and why.
    """

    learner: str
    exercises: tuple[ExercisePin, ...]
    journals: tuple[JournalPin, ...]
    missing: tuple[Missing, ...]
    remarks: tuple[str, ...]

    def met(self, item: Item) -> bool:
        return not any(missing.card in item.cards for missing in self.missing)

    def others_work(self) -> list[str]:
        """A sentence for each other id that stands in journals as that of who measured them."""
        return measured_by_others(((pin.file, pin.learner) for pin in self.journals), self.learner)

    @property
    def complete(self) -> bool:
        return all(self.met(item) for item in CHECKLIST)


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """What was written: `check` is a page that checks the signature in a browser. `pdf` is None if no PDF was
    made, and then `pdf_problem` says why.
    """

    record: Path
    page: Path
    check: Path
    pdf: Path | None
    pdf_problem: str


def assess(
    grader: Grader = grade_notebook, on_progress: Callable[[int, float], None] = lambda card, done: None
) -> Assessment:
    """Grade every exercise the learner has begun, side by side, and check every journal.

    `on_progress` is called with a card and the fraction of its exercise that is graded, 0 to 1. Raises
    CourseError if grading could not start, or if a notebook was saved while it was graded.
    """
    learner, measured = learner_id(), evidence()
    begun = [card for card in CERTIFIED if _copy_path(card).is_file()]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        jobs = {card.number: pool.submit(_graded, card, learner, grader, on_progress) for card in begun}
        graded = {number: job.result() for number, job in jobs.items()}
    exercises = {number: pin for number, pin in graded.items() if isinstance(pin, ExercisePin)}
    missing: list[Missing] = []
    for card in CERTIFIED:
        missing += _missing(card, graded.get(card.number), measured[card.number])
    remarks = [text for card in begun if (text := _board_differs(card, exercises.get(card.number)))]
    remarks += [journal.sentence(language()) for kept in measured.values() for journal in kept.rejected]
    return Assessment(
        learner=learner,
        exercises=tuple(exercises.values()),
        journals=tuple(
            run.pin.model_copy(update={"foreseen": bool(foreseen(run))})
            for kept in measured.values()
            for run in kept.accepted
        ),
        missing=tuple(missing),
        remarks=tuple(remarks),
    )


def issue(
    assessment: Assessment, name: str, key: SigningKey, *, by_issuer: bool, terms: Terms | None = None
) -> Certificate:
    """Sign what was found. `name` is the learner's, for the page; it may be empty.

    Raises CourseError if an item is missing: there is no certificate of nine.
    """
    if not assessment.complete:
        raise CourseError(
            gettext("Not all ten items are met."), hint=gettext("`halab certify` lists what is missing.")
        )
    terms = terms or Terms()
    record = Record(
        name=checked_name(name),
        learner=assessment.learner,
        issued=datetime.now().astimezone().replace(microsecond=0),
        halab=version("halab"),
        key="issuer" if by_issuer else "own",
        organisation=terms.organisation,
        person=terms.person,
        course=CourseName(en=COURSE.in_("en"), zh=COURSE.in_("zh"), hours=terms.hours),
        valid_until=terms.valid_until,
        share=PASS_MARK,
        items=items(),
        exercises=assessment.exercises,
        journals=assessment.journals,
    )
    unsigned = Certificate(record=record, paper=paper_text(record, key), public_key=key.public.text)
    return unsigned.model_copy(update={"signature": key.sign(unsigned.signed_part())})


def save(certificate: Certificate, folder: Path, language: Language) -> CertificateFiles:
    """Write the certificate's files into `folder`, which is made if it is not there.

    Raises CourseError if one of that name is there already, or if the folder cannot be written to.
    """
    record = certificate.record
    stem = f"certificate-{record.learner}-{record.issued:%Y%m%d-%H%M%S}"
    files = {end: folder / f"{stem}.{end}" for end in ("json", "html", "check.html", "pdf")}
    for path in files.values():
        if os.path.lexists(path):
            raise CourseError(
                gettext("{path} is there already, and a certificate is never overwritten.").format(path=path)
            )
    drawn = page(certificate, files["json"].name, language)
    try:
        create_once(files["json"], certificate.text().encode())
        create_once(files["html"], drawn.encode())
        create_once(files["check.html"], check_page(certificate, language).encode())
    except OSError as error:
        raise CourseError(
            gettext("Nothing can be written into {folder}: {why}.").format(folder=folder, why=error.strerror),
            hint=gettext("Choose another: --out FOLDER."),
        ) from None
    pdf_problem = print_pdf(drawn, files["pdf"])
    pdf = None if pdf_problem else files["pdf"]
    return CertificateFiles(files["json"], files["html"], files["check.html"], pdf, pdf_problem)


def checked_name(name: str) -> str:
    """A name for the page, without blanks around it. Raises CourseError."""
    name = " ".join(name.split())
    if len(name) > 100 or not name.isprintable():
        raise CourseError(
            gettext("A name has up to 100 printable characters, and {name!r} does not.").format(
                name=name[:100]
            ),
            hint=gettext('For example: halab certify --name "Ada Lovelace".'),
        )
    return name


def checked_terms(organisation: str, person: str, hours: int, valid_until: str) -> Terms:
    """What an issuer states of a certificate. Raises CourseError."""
    try:
        if valid_until:
            valid_until = date.fromisoformat(valid_until).isoformat()
        return Terms(organisation=organisation, person=person, hours=hours, valid_until=valid_until)
    except ValueError:  # pydantic's are of that kind
        raise CourseError(
            gettext(
                "Organisation and person have up to 200 printable letters, and the day until which it is "
                "valid is one such as 2028-11-30, not {day!r}."
            ).format(day=valid_until[:40])
        ) from None


def _copy_path(card: Entry) -> Path:
    return work_dir() / "exercises" / card.slug / f"{card.slug}.ipynb"


def _graded(
    card: Entry, learner: str, grader: Grader, on_progress: Callable[[int, float], None]
) -> ExercisePin | SubmissionError:
    copy = _copy_path(card)
    try:
        before = _digest(copy)
    except OSError as error:
        unreadable = gettext("{file} cannot be read: {why}.").format(file=copy.name, why=error.strerror)
        return SubmissionError(unreadable, hint=gettext("Put it back."))
    try:
        report = grader(copy, card.slug, learner, lambda done: on_progress(card.number, done))
    except SubmissionError as error:
        return error
    if _digest(copy) != before:
        raise CourseError(
            gettext("{name} was saved while it was graded, so its grade belongs to neither version.").format(
                name=copy.name
            ),
            hint=gettext("Run halab certify again, and leave the notebook alone meanwhile."),
        )
    return ExercisePin(
        card=card.number,
        assignment=card.slug,
        points=report.points,
        out_of=report.out_of,
        notebook_sha256=before,
        source_sha256=_digest(course_root() / "solutions" / card.slug / f"{card.slug}.ipynb"),
        halab=version("halab"),
    )


def _digest(path: Path) -> str:
    return hashlib.sha256(read_plain(path, MAX_BYTES)).hexdigest()


def _missing(card: Entry, graded: ExercisePin | SubmissionError | None, measured: Evidence) -> list[Missing]:
    missing = []
    if exercise := _exercise_missing(card, graded):
        missing.append(exercise)
    if not measured.accepted:
        missing.append(_journal_missing(card, measured))
    elif not any(map(foreseen, measured.accepted)):
        missing.append(_prediction_missing(card))
    return missing


def _exercise_missing(card: Entry, graded: ExercisePin | SubmissionError | None) -> Missing | None:
    number, path = card.number, f"exercises/{card.slug}/{card.slug}.ipynb"
    if graded is None:
        step = gettext("halab lab, then open {path}").format(path=path)
        return Missing(number, gettext("the exercise is not begun"), step)
    if isinstance(graded, SubmissionError):
        problem = gettext("the exercise cannot be graded: {why}").format(why=graded.message)
        return Missing(number, problem, graded.hint)
    if passes(graded.points, graded.out_of):
        return None
    problem = gettext("the exercise has {points:g} of {out_of:g} points and needs {wanted:g}").format(
        points=graded.points, out_of=graded.out_of, wanted=PASS_MARK * graded.out_of
    )
    return Missing(number, problem, f"halab grade {number:02d}")


def _journal_missing(card: Entry, measured: Evidence) -> Missing:
    problem = gettext("its lab is not measured on a real cluster")
    if measured.rejected:
        problem += gettext(" ({n} kept, and none counts)").format(n=len(measured.rejected))
    step = gettext("halab lab, then run {file}").format(file=f"course/{card.slug}.ipynb")
    return Missing(card.number, problem, step)


def _prediction_missing(card: Entry) -> Missing:
    return Missing(
        card.number,
        gettext("nothing was predicted before any of its measurements"),
        gettext("halab lab, then predict and run the lab again in {file}").format(
            file=f"course/{card.slug}.ipynb"
        ),
    )


def _board_differs(card: Entry, fresh: ExercisePin | None) -> str:
    """Where the board remembers another grade than the fresh one, a sentence that says so."""
    on_board = last_grade(card.number) or {}
    before = on_board.get("points"), on_board.get("out_of")
    if None in before or (fresh is not None and before == (fresh.points, fresh.out_of)):
        return ""
    now = (
        gettext("{points:g} of {out_of:g}").format(points=fresh.points, out_of=fresh.out_of)
        if fresh
        else gettext("none, since it cannot be graded")
    )
    return gettext(
        "Exercise {number:02d}: the board has {points:g} of {out_of:g} points; graded again it has {now}. "
        "The new grade counts; `halab grade {number:02d}` brings the board up to date."
    ).format(number=card.number, points=before[0], out_of=before[1], now=now)
