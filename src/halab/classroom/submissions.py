"""What a class handed in, in any form in which it arrives. It is read and never written to.

FOLDER/hand-in-ada.zip                              what `halab hand-in` wrote, under any name; in folders too
FOLDER/<learner>/<assignment>/<assignment>.ipynb    as `nbgrader collect` writes it, with its timestamp.txt
FOLDER/<learner>/<assignment>.ipynb                 as people copy it by hand
FOLDER/<learner>/exercises/...                      a copy of the learner's work folder, or of what holds it
FOLDER/Ada Lovelace_12345_assignsubmission_file_/   as Moodle names it: a hand-in, or notebooks of a name in:
FOLDER/students.csv                                 the class's list, see halab.classroom.roster
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path

from halab.classroom.hand_in import HandIn, RefusedHandIn, is_hand_in, unpack
from halab.classroom.resemblance import Alike, notes_on, resemblances
from halab.classroom.roster import ROSTER, read_roster
from halab.classroom.work_records import learners_in
from halab.course.catalogue import exercises
from halab.course.identity import valid_learner
from halab.errors import CourseError
from halab.grading.preparation import MAX_BYTES, one_line
from halab.translation import Language, gettext

__all__ = ["ClassSubmissions", "LeftOut", "Submission", "read_folder"]

_SHOWN = 3  # names in a message
_CLOCKS_DIFFER = timedelta(days=1)
_LMS = re.compile(r"(?P<name>.+)_\d+_assignsubmission_\w*")
_COPY = re.compile(r"(?P<assignment>\d\d-[a-z0-9-]+?)(-Copy\d+| ?\(\d+\)| - .+)\.ipynb")


@dataclass(frozen=True, slots=True)
class Submission:
    """One learner's notebook of one assignment. `time` is what timestamp.txt or the hand-in says, or "".

    `refusal` says why it cannot be graded as it is, or is empty. `notes` are sentences for the instructor.
    """

    learner: str
    assignment: str
    notebook: Path
    time: str = ""
    refusal: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file or folder in the class's folder that was not taken for anybody's work, and why."""

    where: str
    reason: str

    @property
    def sentence(self) -> str:
        return gettext("{place} {reason}; it was left out.").format(place=self.where, reason=self.reason)


@dataclass(frozen=True, slots=True)
class ClassSubmissions:
    """A class's folder: its learners and submissions in order, and what was left out.

    `names` are learners' names by id, where known. `works` are the work folders of those who handed in more
    than notebooks, and `languages` those they learn in, by their hand-ins. `remarks` are sentences about
    learners: an id that is not in the class's list, say. `alike` are groups with the same file or answers.
    """

    folder: Path
    learners: tuple[str, ...]
    submissions: tuple[Submission, ...]
    left_out: tuple[LeftOut, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    works: Mapping[str, Path] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    languages: Mapping[str, Language] = field(default_factory=dict)
    alike: tuple[Alike, ...] = ()

    @property
    def assignments(self) -> tuple[str, ...]:
        """Those that at least one learner handed in, in the order of their cards."""
        return tuple(sorted({submission.assignment for submission in self.submissions}))

    def label(self, learner: str) -> str:
        """How a learner is shown: name and id."""
        name = self.names.get(learner, "")
        return f"{name} ({learner})" if name and name != learner else learner


def read_folder(folder: Path, unpacked: Path) -> ClassSubmissions:
    """Find every submission in `folder`. Names that start with a dot are passed over.

    Hand-ins are unpacked into the folder `unpacked`, which must last as long as the result is used. Raises
    CourseError if there is no submission: the message says what was expected and what was found.
    """
    if not folder.is_dir():  # before `resolve`, which ends in a traceback for a link that leads to itself
        raise CourseError(gettext("There is no folder {folder}.").format(folder=folder), hint=_layout(folder))
    folder = folder.resolve()
    reader = _Reader(folder, unpacked)
    for place in _visible_entries(folder):
        try:
            reader.read(place)
        except OSError as error:
            reader.leave_out(place, gettext("cannot be read ({why})").format(why=error.strerror))
    return reader.result()


@dataclass(frozen=True, slots=True)
class _Source:
    """One learner's exercises in one place; `time` and `notes` are those of each of them."""

    learner: str
    place: Path
    where: str
    time: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _HandedIn:
    """A hand-in and its exercises; `name` is whose it is by the LMS, or else by itself.

    `in_own_folder` is whether the folder it lies in is that of the learner whose id it has, `from_lms`
    whether that is an LMS' folder.
    """

    hand_in: HandIn
    source: _Source
    in_own_folder: bool
    name: str
    from_lms: bool


class _Reader:
    """Goes through a class's folder once and collects."""

    def __init__(self, folder: Path, unpacked: Path) -> None:
        self._folder, self._unpacked = folder, unpacked.resolve()
        self._known = frozenset(exercise.slug for exercise in exercises())
        roster = folder / ROSTER
        self._roster = read_roster(roster) if roster.exists() else {}
        self._learners = dict.fromkeys(self._roster)
        self._names = {learner: name for learner, name in self._roster.items() if name}
        self._hand_ins: dict[str, list[_HandedIn]] = {}
        self._works: dict[str, Path] = {}
        self._submissions: dict[tuple[str, str], Submission] = {}
        self._places: dict[tuple[str, str], str] = {}
        self._left_out: list[LeftOut] = []

    def read(self, place: Path) -> None:
        """Take in what lies directly in the class's folder."""
        if place.name == ROSTER:
            return
        if not place.is_dir():
            if is_hand_in(place):
                self._hand_in(place, "")
            else:
                self.leave_out(place, gettext("is neither a learner's folder nor a hand-in"))
            return
        inside = _visible_entries(place)
        packed = [entry for entry in inside if is_hand_in(entry)]
        lms = _LMS.fullmatch(place.name)
        learner = self._learner_of(lms["name"]) if lms else _learner_id(place.name)
        for entry in packed:
            self._hand_in(entry, "" if lms else learner, lms["name"] if lms else "")
        if len(packed) == len(inside) and (packed or lms):
            if not packed:
                self.leave_out(place, gettext("is empty"))
        elif learner:
            self._learners.setdefault(learner)
            self._learner_folder(learner, place)
        elif lms:
            self.leave_out(
                place,
                gettext(
                    "holds notebooks, which do not say whose they are; put {name} into {roster}, with the "
                    "learner's id, or ask for what `halab hand-in` writes"
                ).format(name=lms["name"], roster=ROSTER),
            )
        else:
            self.leave_out(
                place,
                gettext(
                    "cannot be a learner's id (up to 64 letters of any script, digits, blanks or "
                    ". _ @ - ' ·, none of . - in front)"
                ),
            )

    def leave_out(self, place: Path, reason: str) -> None:
        self._leave_out(one_line(place.relative_to(self._folder).as_posix()), reason)

    def _leave_out(self, where: str, reason: str) -> None:
        self._left_out.append(LeftOut(where, one_line(reason, 500)))

    def result(self) -> ClassSubmissions:
        for learner in self._hand_ins:
            self._take_hand_ins(learner)
        if not self._submissions:
            raise _no_submission_error(self._folder, self._known, self._left_out)
        submissions = [self._submissions[key] for key in sorted(self._submissions)]
        alike = resemblances(
            [
                (submission.learner, submission.assignment, submission.notebook)
                for submission in submissions
                if not submission.refusal
            ]
        )
        remarks = notes_on(alike)
        noted = (
            replace(
                submission,
                notes=(*submission.notes, *remarks.get((submission.learner, submission.assignment), ())),
            )
            for submission in submissions
        )
        return ClassSubmissions(
            self._folder,
            tuple(sorted(self._learners)),
            tuple(noted),
            tuple(self._left_out),
            self._names,
            self._works,
            tuple(self._remarks()),
            {learner: handed[-1].hand_in.language for learner, handed in self._hand_ins.items()},
            alike,
        )

    def _remarks(self) -> Iterable[str]:
        for learner in sorted(self._learners if self._roster else ()):
            if learner not in self._roster:
                near = get_close_matches(learner, self._roster, n=1) or [
                    other for other in self._roster if other.casefold() == learner.casefold()
                ]
                unknown = gettext("{learner} is not in {roster}.").format(learner=learner, roster=ROSTER)
                meant = gettext("Did you mean {near}? The id decides an exercise's numbers.")
                yield f"{unknown} {meant.format(near=near[0])}" if near else unknown

    def _learner_of(self, name: str) -> str:
        """The id of the one learner of this name in the class's list, or ""."""
        ids = [learner for learner, known in self._roster.items() if known.casefold() == name.casefold()]
        return ids[0] if len(ids) == 1 else ""

    def _hand_in(self, file: Path, folder_of: str, lms_name: str = "") -> None:
        where = one_line(file.relative_to(self._folder).as_posix())
        try:
            handed = unpack(file, self._unpacked / f"{len(list(self._unpacked.iterdir())):05d}")
        except RefusedHandIn as error:
            self.leave_out(file, error.problem)
            return
        learner, notes = handed.learner, list(_recorded_by_another(handed.learner, handed.work))
        if folder_of and folder_of != learner:
            notes.append(
                gettext("It lies in the folder of {folder_of}, and says that it is {learner}'s.").format(
                    folder_of=folder_of, learner=learner
                )
            )
        self._learners.setdefault(learner)
        source = _Source(learner, handed.work / "exercises", where, handed.time, tuple(notes))
        by = self._learner_of(lms_name) if lms_name else folder_of
        self._hand_ins.setdefault(learner, []).append(
            _HandedIn(handed, source, by == learner, one_line(lms_name) or handed.name, bool(lms_name))
        )

    def _take_hand_ins(self, learner: str) -> None:
        """Of several hand-ins of one id the latest counts, and before all the one that lies in the learner's
        own folder: anybody can write another's id. What only an earlier one has, counts from there.
        """
        handed = self._hand_ins[learner]
        handed.sort(key=lambda one: (one.in_own_folder, _moment(one.source.time)))
        counts = handed[-1]
        if not counts.in_own_folder and len({one.name for one in handed if one.from_lms}) > 1:
            for one in handed:
                reason = gettext(
                    "says that it is {learner}'s, and so does another person's; put {learner} and the right "
                    "name into {roster}"
                ).format(learner=learner, roster=ROSTER)
                self._leave_out(one.source.where, reason)
            return
        self._works[learner] = counts.hand_in.work
        if counts.name:
            self._names.setdefault(learner, counts.name)
        notes = list(counts.source.notes)
        for other in reversed(handed[:-1]):
            if other.name and counts.name and other.name.casefold() != counts.name.casefold():
                notes.append(
                    gettext("{other} is of {learner} too, under another name: ask who handed it in.").format(
                        other=other.source.where, learner=learner
                    )
                )
            reason = gettext("is {learner}'s too; {counts}, of {time}, counts").format(
                learner=learner, counts=counts.source.where, time=counts.source.time
            )
            self._leave_out(other.source.where, reason)
        self._exercises(replace(counts.source, notes=tuple(notes)))
        for other in reversed(handed[:-1]):
            kept = gettext("It is of {place}: what counts otherwise, {counts}, has none.").format(
                place=other.source.where, counts=counts.source.where
            )
            self._exercises(replace(other.source, notes=(*other.source.notes, kept)), only_new=True)

    def _learner_folder(self, learner: str, place: Path) -> None:
        work = next((at for at in (place, place / "work") if (at / "exercises").is_dir()), None)
        if work is None:
            self._exercises(_Source(learner, place, place.name))
            return
        self._works[learner] = work
        notes = tuple(_recorded_by_another(learner, work))
        self._exercises(_Source(learner, work / "exercises", place.name, notes=notes))

    def _exercises(self, source: _Source, *, only_new: bool = False) -> None:
        seen: set[str] = set()
        # Folders first: a notebook beside the folder of its assignment is then the one left out.
        for entry in sorted(_visible_entries(source.place), key=lambda entry: not entry.is_dir()):
            assignment = entry.name if entry.is_dir() else entry.name.removesuffix(".ipynb")
            if is_hand_in(entry):  # `read` took it
                continue
            if only_new and (source.learner, assignment) in self._submissions:
                continue
            if reason := self._no_exercise(entry, assignment, seen):
                self._leave_out(f"{source.where}/{one_line(entry.name)}", reason)
            else:
                seen.add(assignment)
                self._put(_submission(source, assignment, entry), source.where)

    def _no_exercise(self, entry: Path, assignment: str, seen: set[str]) -> str:
        """Why something in a learner's folder is nothing to grade, or ""."""
        copied = _COPY.fullmatch(entry.name)
        if copied and copied["assignment"] in self._known:
            original = f"{copied['assignment']}.ipynb"
            copy = gettext("is a copy of {original}; if it is the one to grade, call it that")
            return copy.format(original=original)
        if not entry.is_dir() and entry.suffix != ".ipynb":
            return gettext("is no submission")
        if assignment not in self._known:
            return gettext("is no exercise of this course ({known})").format(
                known=", ".join(sorted(self._known))
            )
        if assignment in seen:
            return gettext("is there a second time; the one in the folder {assignment}/ counts").format(
                assignment=assignment
            )
        return ""

    def _put(self, submission: Submission, where: str) -> None:
        """Take a submission; of two of one learner for one assignment the later counts."""
        key = submission.learner, submission.assignment
        where = f"{where}/{submission.assignment}"
        other = self._submissions.get(key)
        if other is None or _moment(other.time) < _moment(submission.time):
            self._submissions[key] = submission
            if other is None:
                self._places[key] = where
                return
            self._places[key], where = where, self._places[key]
        reason = gettext("was handed in by {learner} twice; {counts} counts, being the later one")
        self._leave_out(where, reason.format(learner=submission.learner, counts=self._places[key]))


def _submission(source: _Source, assignment: str, entry: Path) -> Submission:
    learner, notes = source.learner, source.notes
    if not entry.is_dir():
        return Submission(learner, assignment, entry, source.time, _refusal(entry), notes)
    notebook = entry / f"{assignment}.ipynb"
    others = [
        other for other in _visible_entries(entry) if other.suffix == ".ipynb" and other.name != notebook.name
    ]
    if others and notebook.is_file():
        newer = any(other.stat().st_mtime > notebook.stat().st_mtime for other in others)
        beside = (
            gettext("Beside it lies {names}, saved later; that was not graded.")
            if newer
            else gettext("Beside it lies {names}; that was not graded.")
        )
        notes = (*notes, beside.format(names=_list_names(others)))
    return Submission(learner, assignment, notebook, source.time or _time(entry), _refusal(notebook), notes)


def _recorded_by_another(learner: str, work: Path) -> Iterable[str]:
    """A sentence if what the board of this work folder recorded is all of other learners."""
    recorded = learners_in(work)
    if recorded and learner not in recorded:
        yield gettext(
            "The work folder was used by {others}, and is handed in as {learner}'s: if it is named for the "
            "wrong person, its numbers are another's."
        ).format(others=", ".join(sorted(recorded)), learner=learner)


def _refusal(notebook: Path) -> str:
    """Why this file is not even looked into, or ""."""
    folder = notebook.parent
    if not notebook.is_file():
        others = _list_names(entry for entry in _visible_entries(folder) if entry.name != "timestamp.txt")
        absent = gettext("There is no {name} in {folder}; it holds {others}.")
        return absent.format(name=notebook.name, folder=f"{folder.parent.name}/{folder.name}", others=others)
    if notebook.resolve() != notebook:
        link = gettext("{name} is a link to another file; a submission is a file of its own.")
        return link.format(name=notebook.name)
    if notebook.stat().st_size > MAX_BYTES:
        size, most = notebook.stat().st_size / 1024**2, MAX_BYTES / 1024**2
        large = gettext("{name} has {size:.0f} MiB; a notebook may have {most:.0f}.")
        return large.format(name=notebook.name, size=size, most=most)
    return ""


def _time(folder: Path) -> str:
    stamp = folder / "timestamp.txt"
    if stamp.is_symlink() or not stamp.is_file():  # a link would quote another file of the instructor's
        return ""
    with stamp.open(encoding="utf-8", errors="replace") as file:
        return one_line(file.read(100))


def _moment(time: str) -> datetime:
    """When that was, to be compared only; a time that is none, or is to come, was before all others."""
    try:
        moment = datetime.fromisoformat(time.replace(" UTC", "+00:00"))
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    to_come = moment > datetime.now(UTC) + _CLOCKS_DIFFER
    return datetime.min.replace(tzinfo=UTC) if to_come else moment


def _learner_id(name: str) -> str:
    """The learner's id that a folder is called by, or "" if it can be nobody's."""
    try:
        return valid_learner(name)
    except CourseError:
        return ""


def _visible_entries(folder: Path) -> list[Path]:
    return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))


def _no_submission_error(folder: Path, known: frozenset[str], left_out: list[LeftOut]) -> CourseError:
    details = "".join(f" {entry.sentence}" for entry in left_out[:_SHOWN])
    expected = gettext(
        "{folder} should hold hand-ins, or FOLDER/<learner>/<assignment>/<assignment>.ipynb with an "
        "assignment out of {known}; it holds {entries}, and no submission was found."
    ).format(folder=folder, known=", ".join(sorted(known)), entries=_list_names(_visible_entries(folder)))
    return CourseError(f"{expected}{details}", hint=_layout(folder))


def _layout(folder: Path) -> str:
    for inner in ("submitted", ".nbgrader/submitted"):
        if (folder / inner).is_dir():
            return gettext("Did you mean {folder}?").format(folder=folder / inner)
    return gettext(
        "Name the folder with what `halab hand-in` wrote, or the one into which `nbgrader collect` puts what "
        "was handed in, by learner."
    )


def _list_names(entries: Iterable[Path]) -> str:
    names = [one_line(entry.name, 60) for entry in entries]
    shown = ", ".join(names[:_SHOWN])
    if len(names) > _SHOWN:
        return gettext("{names} and {n} more").format(names=shown, n=len(names) - _SHOWN)
    return shown or gettext("nothing")
