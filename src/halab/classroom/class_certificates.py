"""Certificates for a whole class: each learner's handed-in work assessed as `halab certify` does, and signed.

Before anything is signed, all are compared: work that two learners share, or that says it is another's, is
nobody's until the instructor says whose it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from halab.certificate.assessment import Assessment, CertificateFiles, assess, issue, save
from halab.certificate.record import Record, Terms, read_certificate
from halab.certificate.signing_keys import SigningKey
from halab.classroom.hand_in import copy_work
from halab.classroom.submissions import ClassSubmissions
from halab.classroom.work_records import learners_in
from halab.course.catalogue import CHECKLIST
from halab.errors import CourseError
from halab.grading.environment_variables import temporary_environment
from halab.translation import gettext, language, ngettext

__all__ = ["ClassCertificates", "LearnerCertificate", "certify_class"]

Standing = Literal["certified", "certified before", "not complete", "withheld", "not assessed"]
AssessFunction = Callable[[], Assessment]


@dataclass(frozen=True, slots=True)
class LearnerCertificate:
    """What became of one learner: `items` of the ten are met; `reasons` say what is missing or in the way."""

    learner: str
    standing: Standing
    items: int = 0
    reasons: tuple[str, ...] = ()
    files: CertificateFiles | None = None


@dataclass(frozen=True)
class ClassCertificates:
    """The learners of a class in order."""

    submitted: ClassSubmissions
    learners: tuple[LearnerCertificate, ...] = field(default=())

    @property
    def clear(self) -> bool:
        """Whether nothing is left for the instructor to decide or to mend."""
        undecided = {"withheld", "not assessed"}
        return not self.submitted.left_out and not undecided & {result.standing for result in self.learners}


def certify_class(
    submitted: ClassSubmissions,
    out: Path,
    key: SigningKey,
    terms: Terms,
    scratch: Path,
    *,
    accept: Collection[str] = (),
    assess_work: AssessFunction = assess,
    on_learner: Callable[[str, int, int], None] = lambda learner, done, total: None,
) -> ClassCertificates:
    """Assess every learner who handed in whole work, and sign for those who have all ten items.

    Certificates go into `out`; who has one there by this key keeps it. Work is copied to `scratch` first, and
    nothing is written where it lay. What two learners share, here or with a certificate in `out`, and what
    another measured, is told and not signed, but for the learners in `accept`. Each is in its
    learner's language, where that is known. Raises CourseError if one of them handed in nothing.
    """
    if unknown := sorted(set(accept) - set(submitted.works)):
        raise CourseError(
            gettext("There is no whole work of {unknown} in {folder}.").format(
                unknown=", ".join(unknown), folder=submitted.folder
            ),
            hint=gettext("Those who handed in: {learners}.").format(
                learners=", ".join(sorted(submitted.works)) or gettext("nobody")
            ),
        )
    before = dict(_earlier(out, key))
    assessed: dict[str, Assessment | str] = {}
    todo = [learner for learner in sorted(submitted.works) if learner not in before]
    for number, learner in enumerate(todo):
        on_learner(learner, number, len(todo))
        assessed[learner] = _assessed(
            learner, submitted.works[learner], scratch / f"{number:05d}", assess_work
        )
    complete = {
        learner: assessment for learner, assessment in assessed.items() if isinstance(assessment, Assessment)
    }
    shared = _shared(complete, before)
    for learner in complete:
        shared[learner] += _not_their_own(learner, submitted.works[learner])
        shared[learner] += complete[learner].others_work()
    learners = []
    for learner in submitted.learners:
        if learner in before:
            day = gettext("On {day:%Y-%m-%d}.").format(day=before[learner].issued)
            learners.append(LearnerCertificate(learner, "certified before", len(CHECKLIST), (day,)))
            continue
        made = _standing(learner, assessed.get(learner), [] if learner in accept else shared[learner])
        if made.standing == "certified":
            name = submitted.names.get(learner, "")
            learns_in = submitted.languages.get(learner, language())
            issued = issue(complete[learner], name, key, by_issuer=True, terms=terms)
            made = replace(made, reasons=tuple(shared[learner]), files=save(issued, out, learns_in))
        learners.append(made)
    return ClassCertificates(submitted, tuple(learners))


def _assessed(learner: str, work: Path, copy: Path, assess_work: AssessFunction) -> Assessment | str:
    """What a learner has to show, or why that cannot be told."""
    try:
        copy_work(work, copy)
        with temporary_environment(HALAB_WORK=str(copy), HALAB_LEARNER=learner):
            return assess_work()
    except CourseError as error:
        return error.message


def _standing(learner: str, assessed: Assessment | str | None, shared: list[str]) -> LearnerCertificate:
    if assessed is None:
        reason = gettext(
            "No whole work was handed in: `halab hand-in` makes one file of exercises and measurements."
        )
        return LearnerCertificate(learner, "not complete", 0, (reason,))
    if isinstance(assessed, str):
        return LearnerCertificate(learner, "not assessed", 0, (assessed,))
    items = sum(assessed.met(item) for item in CHECKLIST)
    if not assessed.complete:
        return LearnerCertificate(learner, "not complete", items, (*_missing(assessed), *shared))
    return LearnerCertificate(learner, "withheld" if shared else "certified", items, tuple(shared))


def _missing(assessed: Assessment) -> list[str]:
    """What is missing, each problem once with its cards."""
    cards: dict[str, list[str]] = defaultdict(list)
    for gap in assessed.missing:
        cards[gap.problem].append(str(gap.card))
    return [
        ngettext("Card {numbers}: {problem}.", "Cards {numbers}: {problem}.", len(numbers)).format(
            numbers=", ".join(numbers), problem=problem
        )
        for problem, numbers in cards.items()
    ]


def _earlier(out: Path, key: SigningKey) -> Iterator[tuple[str, Record]]:
    """Learners with a certificate of this key in `out`, and its record."""
    for file in sorted(out.glob("certificate-*.json")):
        try:
            certificate, signed = read_certificate(file)
        except CourseError:
            continue
        if certificate.public_key == key.public.text and key.public.verifies(certificate.signature, signed):
            yield certificate.record.learner, certificate.record


def _shared(assessed: Mapping[str, Assessment], before: Mapping[str, Record]) -> dict[str, list[str]]:
    """For each learner a sentence on what they have in common with others."""
    owners: dict[str, set[str]] = defaultdict(set)
    names: dict[str, str] = {}
    everybody: Iterable[tuple[str, Assessment | Record]] = [*assessed.items(), *before.items()]
    for learner, work in everybody:
        for digest, name in _digests(work).items():
            owners[digest].add(learner)
            names[digest] = name
    shared: dict[str, list[str]] = defaultdict(list)
    for learner in assessed:
        common: dict[str, set[str]] = defaultdict(set)
        for digest in _digests(assessed[learner]):
            for other in owners[digest] - {learner}:
                common[other].add(names[digest])
        shared[learner] = _in_common(common)
    return shared


def _in_common(files_of: Mapping[str, set[str]]) -> list[str]:
    """A sentence on each group of others who have the same files as a learner."""
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for other, files in sorted(files_of.items()):
        groups[tuple(sorted(files))].append(other)
    return [
        gettext("The same as {others}'s: {files}. Only one of them can be the original.").format(
            others=", ".join(others), files=", ".join(files)
        )
        for files, others in groups.items()
    ]


def _digests(work: Assessment | Record) -> dict[str, str]:
    """What tells a learner's work from another's: probes of journals, and notebooks, by their digests.

    A notebook without a point may be as it was handed out, and then it is everybody's.
    """
    probes = {probe: pin.file for pin in work.journals for probe in pin.probes_sketch}
    earned = (pin for pin in work.exercises if pin.points > 0)
    return probes | {pin.notebook_sha256: f"{pin.assignment}.ipynb" for pin in earned}


def _not_their_own(learner: str, work: Path) -> list[str]:
    recorded = learners_in(work)
    if not recorded or learner in recorded:
        return []
    said = gettext("All that was recorded in this work folder is of {others}.")
    return [said.format(others=", ".join(sorted(recorded)))]
