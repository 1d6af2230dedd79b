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
from halab.course.catalogue import CERTIFIED, entry
from halab.course.paths import course_root
from halab.errors import CourseError
from halab.folders import read_plain
from halab.grading.preparation import MAX_BYTES
from halab.translation import LazyText, gettext

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
            gettext("--work is the folder of one learner, and there are several certificates."),
            hint=gettext("Verify each with its own folder, then all of them together without --work."),
        )
    if not any((work / folder).is_dir() for folder in ("journals", "exercises")):
        raise CourseError(
            gettext("{work} is no learner's folder: it has neither journals/ nor exercises/.").format(
                work=work
            ),
            hint=gettext("Give the folder `work/` of the course the learner worked in."),
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
    unaltered = gettext("The record is unaltered since the holder of this key signed it: {fingerprint}.")
    proven = [unaltered.format(fingerprint=key.fingerprint)]
    failures = _arithmetic(certificate)
    failures += _paper_differs(certificate, key)
    if not failures:
        proven.append(
            gettext(
                "It adds up: each of the ten items has {share:.0%} or more of the points of its exercises, "
                "and for each of its labs a journal that says a real cluster was measured after a prediction."
            ).format(share=PASS_MARK)
        )
    if public_key is not None:
        same = public_key == key
        (proven if same else failures).append(
            gettext("That key is the one you named.") if same else _wrong_key(public_key)
        )
    elif record.key != "own":
        failures.append(
            gettext(
                "It calls itself an issuer's, and anybody can write that. Name the issuer's key with "
                "--public-key; the one that signed it has the fingerprint {fingerprint}."
            ).format(fingerprint=key.fingerprint)
        )
    failures += _expired(record.valid_until)
    if revoked is not None:
        gone = _revoked(record_digest(record), revoked, key)
        absent = gettext("It is not in the issuer's list {name}.").format(name=revoked.name)
        (failures if gone else proven).append(gone or absent)
    if work is not None:
        differences = [*_journals(record, work), *_notebooks(record, work), *_sources(record)]
        failures += differences
        if not differences:
            proven.append(
                gettext("Its journals, notebooks and exercises are those that lie here, to the last byte.")
            )
    return VerificationResult(
        file, certificate, tuple(proven), tuple(failures), _unproven(record, public_key, work, revoked)
    )


def verify_paper(text: str, public_key: PublicKey, revoked: Path | None = None) -> tuple[Paper, list[str]]:
    """What the QR of a printed certificate says, and all that fails of it.

    Raises CourseError if it is no certificate's QR.
    """
    paper = read_paper(text)
    if not paper.verifies(public_key):
        return paper, [
            gettext("It was not signed with the key you named, or was altered since. It proves nothing.")
        ]
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
    return [gettext("The QR of its page is not this record's.")]


def _expired(valid_until: str) -> list[str]:
    today = datetime.now().astimezone().date().isoformat()
    if not valid_until or valid_until >= today:
        return []
    return [gettext("It was valid until {day}.").format(day=valid_until)]


def _revoked(digest: str, file: Path, key: PublicKey) -> str:
    """Why the issuer's list says that it no longer holds, or "". Raises CourseError if it is not theirs."""
    entry = read_revocations(file, key).get(digest)
    if entry is None:
        return ""
    return gettext("Its issuer revoked it on {day}: {reason}.").format(day=entry.day, reason=entry.reason)


def _not_signed(key: PublicKey) -> str:
    return gettext(
        "The record is not what the holder of key {fingerprint} signed: something in the file was altered. "
        "Nothing it says can be relied on."
    ).format(fingerprint=key.fingerprint)


def _wrong_key(named: PublicKey) -> str:
    wrong = gettext("It was not signed with the key you named, whose fingerprint is {fingerprint}.")
    return wrong.format(fingerprint=named.fingerprint)


def _arithmetic(certificate: Certificate) -> list[str]:
    """What in the record does not follow from the rest of it."""
    record, failures = certificate.record, []
    if record.items != items() or record.share != PASS_MARK:
        failures.append(gettext("Its ten items are not those of this version of the course."))
    for card in CERTIFIED:
        called = str(card.called).capitalize()
        graded = [exercise for exercise in record.exercises if exercise.card == card.number]
        if len(graded) != 1:
            failures.append(
                gettext("{card} has {n} graded exercises and should have one.").format(
                    card=called, n=len(graded)
                )
            )
        failures += [_below_pass_mark(exercise) for exercise in graded if not _has_enough_points(exercise)]
        measured = record.journals_of(card.number)
        if not measured:
            failures.append(gettext("{card} has no measurement.").format(card=called))
        elif not any(journal.foreseen for journal in measured):
            failures.append(
                gettext("{card} has no measurement that was predicted before it began.").format(card=called)
            )
    probes = [probe for journal in record.journals for probe in set(journal.probes_sketch)]
    if len(set(probes)) < len(probes):
        failures.append(gettext("One measurement is counted twice."))
    latest = record.issued + timedelta(seconds=CLOCK_TOLERANCE)
    late = [journal.file for journal in record.journals if journal.started > latest]
    if late:
        failures.append(gettext("Measured after the day of issue: {files}.").format(files=", ".join(late)))
    if any(journal.engine == "simulated" for journal in record.journals):
        failures.append(gettext("A simulated run is counted as a measurement."))
    return failures


def _has_enough_points(exercise: ExercisePin) -> bool:
    return passes(exercise.points, exercise.out_of) and exercise.points <= exercise.out_of


def _below_pass_mark(exercise: ExercisePin) -> str:
    return gettext("{card}: {points:g} of {out_of:g} points do not make {share:.0%}.").format(
        card=str(entry(exercise.card).called).capitalize(),
        points=exercise.points,
        out_of=exercise.out_of,
        share=PASS_MARK,
    )


def _journals(record: Record, work: Path) -> list[str]:
    return [text for pin in record.journals if (text := _journal(pin, work))]


def _journal(pin: JournalPin, work: Path) -> str:
    path, name = work / "journals" / pin.file, f"journals/{pin.file}"
    if not path.is_file():
        return gettext("{name} is missing.").format(name=name)
    measured = measurement(path, pin.card)
    if isinstance(measured, LazyText):
        return gettext("{name} was altered: {problem}").format(name=name, problem=measured)
    if measured.pin.digest != pin.digest:
        return gettext("{name} was altered: it is whole, but another measurement.").format(name=name)
    if measured.pin == pin.model_copy(update={"foreseen": False}):  # which no journal says
        return ""
    return gettext("{name} says other things than the certificate says of it.").format(name=name)


def _notebooks(record: Record, work: Path) -> list[str]:
    failures = []
    for exercise in record.exercises:
        name = f"exercises/{exercise.assignment}/{exercise.assignment}.ipynb"
        if not (work / name).is_file():
            failures.append(gettext("{name} is missing.").format(name=name))
        elif _digest(work / name) != exercise.notebook_sha256:
            failures.append(gettext("{name} was altered since it was graded.").format(name=name))
    return failures


def _sources(record: Record) -> list[str]:
    """The exercises' sources with their hidden tests: what the notebooks were graded against."""
    sources = {
        exercise.assignment: course_root()
        / "solutions"
        / exercise.assignment
        / f"{exercise.assignment}.ipynb"
        for exercise in record.exercises
    }
    return [
        gettext(
            "Exercise {assignment} was graded against another source than this course has (with halab "
            "{version}): the course has changed since, or it was altered there."
        ).format(assignment=exercise.assignment, version=exercise.halab)
        for exercise in record.exercises
        if not sources[exercise.assignment].is_file()
        or _digest(sources[exercise.assignment]) != exercise.source_sha256
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
                    gettext(
                        "{files}: the same is in {other}, of learner {learner}. One of the two was copied."
                    ).format(files=", ".join(same), other=other.file.name, learner=other.record.learner)
                )
    return failures


def _digests(record: Record) -> dict[str, str]:
    probes = {probe: pin.file for pin in record.journals for probe in pin.probes_sketch}
    return probes | {pin.notebook_sha256: f"{pin.assignment}.ipynb" for pin in record.exercises}


def _others_work(record: Record) -> list[str]:
    others = {journal.learner for journal in record.journals} - {"", record.learner}
    said = gettext("That {learner} measured all of it: journals say that {others} did.")
    return [said.format(learner=record.learner, others=", ".join(sorted(others)))] * bool(others)


def _unproven(
    record: Record, public_key: PublicKey | None, work: Path | None, revoked: Path | None
) -> tuple[str, ...]:
    who = gettext(
        "Who holds that key. It calls itself the learner's own: nobody else vouches; compare the fingerprint "
        "with one you were given."
    )
    sentences = [] if public_key or record.key != "own" else [who]
    holder = record.name or record.learner
    sentences.append(gettext("That {holder} did the work, and alone.").format(holder=holder))
    sentences += _others_work(record)
    sentences.append(
        gettext(
            "That the measurements took place: the chain of a journal has no secret, so a whole one can be "
            "invented."
        )
    )
    sentences.append(
        gettext(
            "That the grader was the course's own when it graded: grade the notebooks again if it matters."
        )
    )
    if record.key == "issuer" and revoked is None:
        sentences.append(
            gettext("That its issuer has not revoked it: --revoked FILE looks into the issuer's list.")
        )
    if work is None:
        sentences.append(
            gettext("That the journals and notebooks still are what they were: --work FOLDER compares them.")
        )
    return tuple(sentences)
