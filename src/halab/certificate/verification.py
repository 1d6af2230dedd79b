"""Checks a certificate without a network, and says what its signature proves and what it does not."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from halab.certificate.evidence import CLOCK_TOLERANCE, measurement
from halab.certificate.paper import Paper, read_paper, record_digest
from halab.certificate.record import (
    PASS_MARK,
    Certificate,
    ExercisePin,
    JournalPin,
    Record,
    items,
    passes,
    read_certificate,
)
from halab.certificate.revocation import read_revocations
from halab.certificate.signing_keys import PublicKey
from halab.course.catalogue import CERTIFIED, Bilingual, entry
from halab.course.paths import course_root
from halab.errors import CourseError
from halab.folders import read_plain
from halab.grading.preparation import MAX_BYTES

__all__ = ["VerificationResult", "verify", "verify_paper"]


@dataclass(frozen=True, slots=True)
class VerificationResult:
    """What was found of one file: sentences of what holds, what fails, and what nobody can tell from it."""

    file: Path
    certificate: Certificate | None
    proven: tuple[str, ...]
    failures: tuple[str, ...]
    unproven: tuple[str, ...]

    @property
    def record(self) -> Record | None:
        return self.certificate.record if self.certificate else None

    @property
    def ok(self) -> bool:
        return not self.failures


def verify(
    files: Sequence[Path],
    public_key: PublicKey | None = None,
    work: Path | None = None,
    revoked: Path | None = None,
) -> list[VerificationResult]:
    """Check each certificate, and all of them for measurements and notebooks that two learners share.

    `public_key` is the key that should have signed. `work` is the learner's folder: its journals and
    notebooks are compared with what the certificate pins, and the exercises with those of the course here.
    `revoked` is the issuer's list of certificates that no longer hold.
    Raises CourseError if `work` is given for several certificates, or is no learner's folder.
    """
    if work is not None:
        _check_work(work, files)
    results = [_verify(file, public_key, work, revoked) for file in files]
    return [
        replace(result, failures=(*result.failures, *_shared_with_others(result, results)))
        for result in results
    ]


def _check_work(work: Path, files: Sequence[Path]) -> None:
    if len(files) > 1:
        raise CourseError(
            "--work is the folder of one learner, and there are several certificates.",
            hint="Verify each with its own folder, then all of them together without --work.",
        )
    if not any((work / folder).is_dir() for folder in ("journals", "exercises")):
        raise CourseError(
            f"{work} is no learner's folder: it has neither journals/ nor exercises/.",
            hint="Give the folder `work/` of the course the learner worked in.",
        )


def _verify(
    file: Path, public_key: PublicKey | None, work: Path | None, revoked: Path | None
) -> VerificationResult:
    try:
        certificate, signed = read_certificate(file)
        key = PublicKey.from_text(certificate.public_key)
    except CourseError as error:
        return VerificationResult(file, None, (), (str(error),), ())
    record = certificate.record
    if not key.verifies(certificate.signature, signed):
        return VerificationResult(file, certificate, (), (_not_signed(key),), ())
    proven = [f"The record is unaltered since the holder of this key signed it: {key.fingerprint}."]
    failures = _arithmetic(certificate)
    failures += _paper_differs(certificate, key)
    if not failures:
        proven.append(
            f"It adds up: each of the ten items has {PASS_MARK:.0%} or more of the points of its exercises, "
            "and for each of its labs a journal that says a real cluster was measured "
            "after a prediction."
        )
    if public_key is not None:
        same = public_key == key
        (proven if same else failures).append(
            "That key is the one you named." if same else _wrong_key(public_key)
        )
    elif record.key != "own":
        failures.append(
            "It calls itself an issuer's, and anybody can write that. Name the issuer's key with "
            f"--public-key; the one that signed it has the fingerprint {key.fingerprint}."
        )
    failures += _expired(record.valid_until)
    if revoked is not None:
        gone = _revoked(record_digest(record), revoked, key)
        (failures if gone else proven).append(gone or f"It is not in the issuer's list {revoked.name}.")
    if work is not None:
        differences = [*_journals(record, work), *_notebooks(record, work), *_sources(record)]
        failures += differences
        if not differences:
            proven.append("Its journals, notebooks and exercises are those that lie here, to the last byte.")
    return VerificationResult(
        file, certificate, tuple(proven), tuple(failures), _unproven(record, public_key, work, revoked)
    )


def verify_paper(text: str, public_key: PublicKey, revoked: Path | None = None) -> tuple[Paper, list[str]]:
    """What the QR of a printed certificate says, and all that fails of it.

    Raises CourseError if it is no certificate's QR.
    """
    paper = read_paper(text)
    if not paper.verifies(public_key):
        return paper, ["It was not signed with the key you named, or was altered since. It proves nothing."]
    failures = _expired(paper.says["until"])
    if revoked is not None and (gone := _revoked(paper.says["record"], revoked, public_key)):
        failures.append(gone)
    return paper, failures


def _paper_differs(certificate: Certificate, key: PublicKey) -> list[str]:
    """Whether the QR of its page says another thing than the record."""
    try:
        paper = read_paper(certificate.paper)
    except CourseError as error:
        return [error.message]
    if paper.verifies(key) and paper.says["record"] == record_digest(certificate.record):
        return []
    return ["The QR of its page is not this record's."]


def _expired(valid_until: str) -> list[str]:
    today = datetime.now().astimezone().date().isoformat()
    return [f"It was valid until {valid_until}."] if valid_until and valid_until < today else []


def _revoked(digest: str, file: Path, key: PublicKey) -> str:
    """Why the issuer's list says that it no longer holds, or "". Raises CourseError if it is not theirs."""
    entry = read_revocations(file, key).get(digest)
    return f"Its issuer revoked it on {entry.day}: {entry.reason}." if entry else ""


def _not_signed(key: PublicKey) -> str:
    return (
        f"The record is not what the holder of key {key.fingerprint} signed: something in the file was "
        "altered. Nothing it says can be relied on."
    )


def _wrong_key(named: PublicKey) -> str:
    return f"It was not signed with the key you named, whose fingerprint is {named.fingerprint}."


def _arithmetic(certificate: Certificate) -> list[str]:
    """What in the record does not follow from the rest of it."""
    record, failures = certificate.record, []
    if record.items != items() or record.share != PASS_MARK:
        failures.append("Its ten items are not those of this version of the course.")
    for card in CERTIFIED:
        called = card.called("en").capitalize()
        graded = [exercise for exercise in record.exercises if exercise.card == card.number]
        if len(graded) != 1:
            failures.append(f"{called} has {len(graded)} graded exercises and should have one.")
        failures += [_below_pass_mark(exercise) for exercise in graded if not _has_enough_points(exercise)]
        measured = record.journals_of(card.number)
        if not measured:
            failures.append(f"{called} has no measurement.")
        elif not any(journal.foreseen for journal in measured):
            failures.append(f"{called} has no measurement that was predicted before it began.")
    probes = [probe for journal in record.journals for probe in set(journal.probes_sketch)]
    if len(set(probes)) < len(probes):
        failures.append("One measurement is counted twice.")
    latest = record.issued + timedelta(seconds=CLOCK_TOLERANCE)
    late = [journal.file for journal in record.journals if journal.started > latest]
    if late:
        failures.append(f"Measured after the day of issue: {', '.join(late)}.")
    if any(journal.engine == "simulated" for journal in record.journals):
        failures.append("A simulated run is counted as a measurement.")
    return failures


def _has_enough_points(exercise: ExercisePin) -> bool:
    return passes(exercise.points, exercise.out_of) and exercise.points <= exercise.out_of


def _below_pass_mark(exercise: ExercisePin) -> str:
    points = f"{exercise.points:g} of {exercise.out_of:g} points"
    return f"{entry(exercise.card).called('en').capitalize()}: {points} do not make {PASS_MARK:.0%}."


def _journals(record: Record, work: Path) -> list[str]:
    return [text for pin in record.journals if (text := _journal(pin, work))]


def _journal(pin: JournalPin, work: Path) -> str:
    path = work / "journals" / pin.file
    if not path.is_file():
        return f"journals/{pin.file} is missing."
    measured = measurement(path, pin.card)
    if isinstance(measured, Bilingual):
        return f"journals/{pin.file} was altered: {measured.en}"
    if measured.pin.digest != pin.digest:
        return f"journals/{pin.file} was altered: it is whole, but another measurement."
    return (
        ""
        if measured.pin == pin.model_copy(update={"foreseen": False})  # which no journal says
        else f"journals/{pin.file} says other things than the certificate says of it."
    )


def _notebooks(record: Record, work: Path) -> list[str]:
    failures = []
    for one in record.exercises:
        name = f"exercises/{one.assignment}/{one.assignment}.ipynb"
        if not (work / name).is_file():
            failures.append(f"{name} is missing.")
        elif _digest(work / name) != one.notebook_sha256:
            failures.append(f"{name} was altered since it was graded.")
    return failures


def _sources(record: Record) -> list[str]:
    """The exercises' sources with their hidden tests: what the notebooks were graded against."""
    sources = {
        one.assignment: course_root() / "solutions" / one.assignment / f"{one.assignment}.ipynb"
        for one in record.exercises
    }
    return [
        f"Exercise {one.assignment} was graded against another source than this course has (with halab "
        f"{one.halab}): the course has changed since, or it was altered there."
        for one in record.exercises
        if not sources[one.assignment].is_file() or _digest(sources[one.assignment]) != one.source_sha256
    ]


def _digest(path: Path) -> str:
    """Of a file that can be read, or ""."""
    try:
        return hashlib.sha256(read_plain(path, MAX_BYTES)).hexdigest()
    except OSError:
        return ""


def _shared_with_others(mine: VerificationResult, results: Sequence[VerificationResult]) -> list[str]:
    """Measurements and notebooks that a certificate has in common with another learner's."""
    failures = []
    for other in results:
        if mine.record and other.record and mine.record.learner != other.record.learner:
            theirs = _digests(other.record)
            same = dict.fromkeys(name for digest, name in _digests(mine.record).items() if digest in theirs)
            if same:
                failures.append(
                    f"{', '.join(same)}: the same is in {other.file.name}, of learner "
                    f"{other.record.learner}. One of the two was copied."
                )
    return failures


def _digests(record: Record) -> dict[str, str]:
    probes = {probe: one.file for one in record.journals for probe in one.probes_sketch}
    return probes | {one.notebook_sha256: f"{one.assignment}.ipynb" for one in record.exercises}


def _others_work(record: Record) -> list[str]:
    others = {one.learner for one in record.journals} - {"", record.learner}
    return [
        f"That {record.learner} measured all of it: journals say that {', '.join(sorted(others))} did."
    ] * bool(others)


def _unproven(
    record: Record, public_key: PublicKey | None, work: Path | None, revoked: Path | None
) -> tuple[str, ...]:
    who = (
        "Who holds that key. It calls itself the learner's own: nobody else vouches; compare the fingerprint "
        "with one you were given."
    )
    sentences = [] if public_key or record.key != "own" else [who]
    sentences.append(f"That {record.name or record.learner} did the work, and alone.")
    sentences += _others_work(record)
    sentences.append(
        "That the measurements took place: the chain of a journal has no secret, so a whole one can be "
        "invented."
    )
    sentences.append(
        "That the grader was the course's own when it graded: grade the notebooks again if it matters."
    )
    if record.key == "issuer" and revoked is None:
        sentences.append("That its issuer has not revoked it: --revoked FILE looks into the issuer's list.")
    if work is None:
        sentences.append(
            "That the journals and notebooks still are what they were: --work FOLDER compares them."
        )
    return tuple(sentences)
