"""The certificate as data: what is signed, in which form, and how a file of it is read.

{"format": "halab-certificate", "version": 4, "record": {...}, "paper": "...",
 "public_key": "...", "signature": "..."}

The signature is over the canonical JSON of everything but itself: keys sorted, no blanks, ASCII.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from halab.course.catalogue import BEYOND, CHECKLIST
from halab.errors import CourseError
from halab.folders import read_plain
from halab.translation import Language, LazyText, gettext, gettext_lazy

__all__ = [
    "COURSE",
    "COURSE_HOURS",
    "PASS_MARK",
    "Certificate",
    "CertifiedItem",
    "CourseName",
    "ExercisePin",
    "FaultPin",
    "JournalPin",
    "Record",
    "Terms",
    "canonical",
    "items",
    "passes",
    "read_certificate",
]

FORMAT = "halab-certificate"
VERSION = 4
PASS_MARK = 0.8
"""The fraction of an exercise's points that its checklist item asks for; `share` in a record."""
COURSE = gettext_lazy("Keep Milvus available")
COURSE_HOURS = 11
"""Hours it takes: about one a card with its lesson and exercise, twenty minutes more in lesson 5, and one
for lesson 12 with its exercise."""
_MAX_BYTES = 5_000_000  # bytes; one with a hundred journals has 60 thousand


def _printable(text: str) -> str:
    """A certificate comes from somebody else: nothing in it may steer the terminal that shows it."""
    if not text.isprintable():
        raise ValueError("has characters that cannot be printed")
    return text


_Line = Annotated[str, Field(max_length=200), AfterValidator(_printable)]
_Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_ShortDigest = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
_Card = Annotated[int, Field(ge=1, le=BEYOND[-1].number)]  # a lesson beyond the cards is counted on
_Number = Annotated[float, Field(allow_inf_nan=False)]
_Points = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class FaultPin(_Strict):
    """A fault of a measurement; `at` is seconds after its start."""

    kind: _Line
    target: _Line
    component: _Line
    at: _Number


class JournalPin(_Strict):
    """A measurement of a real cluster: its journal's last hash, what was measured on what, and hashes of some
    probes, which stay the same in a copy that was altered. `learner` is who made it, as its header says (""
    for journals of old); `foreseen` whether they had predicted it before it began.
    """

    card: _Card
    file: _Line = Field(pattern=r"^[^/\\]+\.jsonl$")
    digest: _Digest
    engine: _Line = Field(min_length=1)
    profile: _Line
    ttl: _Number
    versions: dict[_Line, _Line]
    started: AwareDatetime
    faults: tuple[FaultPin, ...]
    probes: int = Field(ge=1)
    probes_sketch: tuple[_ShortDigest, ...] = Field(min_length=1, max_length=16)
    simulated: Literal[False]
    learner: Annotated[str, Field(max_length=64), AfterValidator(_printable)]
    foreseen: bool


class ExercisePin(_Strict):
    """A graded exercise: its points, and SHA-256 of the learner's notebook and of the exercise's source."""

    card: _Card
    assignment: str = Field(pattern=r"^\d\d-[a-z0-9-]+$")
    points: _Points
    out_of: _Points
    notebook_sha256: _Digest
    source_sha256: _Digest
    halab: _Line


class _Signed(_Strict):
    """Words that are signed in two languages."""

    en: _Line
    zh: _Line

    def in_(self, language: Language) -> str:
        """As they were signed; in another language what its catalogue has for the English ones."""
        return {"en": self.en, "zh": self.zh}.get(language) or LazyText(self.en).in_(language)


class CertifiedItem(_Signed):
    """One item of the checklist, and the cards whose exercises and labs it rests on."""

    cards: tuple[_Card, ...]


class CourseName(_Signed):
    """What the course is called, and how many hours it takes."""

    hours: int = Field(ge=1, le=1000)


class Terms(_Strict):
    """Who issues a certificate, for how long a course, and until which day it is valid ("" for ever)."""

    organisation: _Line = ""
    person: _Line = ""
    hours: int = Field(default=COURSE_HOURS, ge=1, le=1000)
    valid_until: str = Field(default="", pattern=r"^(\d{4}-\d\d-\d\d)?$")


class Record(_Strict):
    """What the certificate states. `key` says whose key signed: the learner's own, or an issuer's.

    `organisation` and `person` are the issuer's, "" for a learner's own; `valid_until` is a day or "".
    """

    name: _Line
    learner: _Line = Field(min_length=1, max_length=64)
    issued: AwareDatetime
    halab: _Line
    key: Literal["own", "issuer"]
    organisation: _Line
    person: _Line
    course: CourseName
    valid_until: str = Field(pattern=r"^(\d{4}-\d\d-\d\d)?$")
    share: _Number
    items: tuple[CertifiedItem, ...]
    exercises: tuple[ExercisePin, ...]
    journals: tuple[JournalPin, ...]

    def journals_of(self, card: int) -> list[JournalPin]:
        return [journal for journal in self.journals if journal.card == card]


class Certificate(_Strict):
    """A signed record. `public_key` and `signature` are base64; `paper` is what the printed page's QR holds,
    signed by itself (see certificate/paper.py).
    """

    format: Literal["halab-certificate"] = "halab-certificate"
    version: Literal[4] = 4
    record: Record
    paper: str = Field(max_length=2000)
    public_key: str
    signature: str = ""

    def signed_part(self) -> bytes:
        """What the signature is over."""
        return canonical(self.as_data())

    @property
    def digest(self) -> str:
        """What the page shows of the record, to tell one from another (32 hexadecimal digits)."""
        return hashlib.sha256(self.signed_part()).hexdigest()[:32]

    def as_data(self) -> dict[str, Any]:
        return self.model_dump(mode="json")

    def text(self) -> str:
        """The file: for people one field a line; the signature holds for any spacing."""
        return json.dumps(self.as_data(), indent=1, sort_keys=True) + "\n"


def canonical(data: dict[str, Any]) -> bytes:
    """The one spelling of a certificate's data that is signed."""
    unsigned = {key: value for key, value in data.items() if key != "signature"}
    return json.dumps(unsigned, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def items() -> tuple[CertifiedItem, ...]:
    """The ten items as this version of the course has them."""
    return tuple(
        CertifiedItem(en=item.words.in_("en"), zh=item.words.in_("zh"), cards=item.cards)
        for item in CHECKLIST
    )


def passes(points: float, out_of: float) -> bool:
    """Whether these points are the share that is asked for; an exercise without points never passes."""
    # Rounded, so that tenths of points that add up to exactly 80 % are not lost to binary fractions.
    return out_of > 0 and round(points - PASS_MARK * out_of, 9) >= 0


def read_certificate(path: Path) -> tuple[Certificate, bytes]:
    """A certificate, and the bytes its signature must hold for: what the file says, to the last character.

    Raises CourseError for a file that is absent, no certificate, cut off, or of a newer version.
    """
    data = _load_object(path)
    if data.get("format") != FORMAT:
        raise CourseError(
            gettext("{name} is no certificate of this course.").format(name=path.name),
            hint=gettext("A certificate is the .json file that `halab certify` wrote."),
        )
    if data.get("version") != VERSION:
        raise CourseError(
            gettext(
                "{name} is a certificate of version {version!r}; this halab reads version {ours}."
            ).format(name=path.name, version=data.get("version"), ours=VERSION),
            hint=gettext(
                "Verify it with the halab that wrote it. Since version 3 the tenth item asks for lesson 12's "
                "exercise and measured lab, since version 4 each lab for a prediction before it."
            ),
        )
    try:
        return Certificate.model_validate_json(json.dumps(data)), canonical(data)
    except ValidationError as error:
        first = error.errors()[0]
        raise CourseError(
            gettext("{name} has not the fields of a certificate: {field}: {problem}.").format(
                name=path.name, field=".".join(map(str, first["loc"])), problem=first["msg"]
            ),
            hint=gettext("It was altered, or halab did not write it. Ask for an untouched copy."),
        ) from None


def _load_object(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(
            read_plain(path, _MAX_BYTES),
            object_pairs_hook=_reject_duplicate_fields,
            parse_constant=_reject_constant,
        )
    except OSError as error:
        raise CourseError(
            gettext("{file} cannot be read: {why}.").format(file=path, why=error.strerror),
            hint=gettext("Check the name."),
        ) from None
    except (ValueError, RecursionError) as error:
        raise CourseError(
            gettext("{name} is not JSON, or was cut off: {why}.").format(name=path.name, why=error),
            hint=gettext("Verify the .json file of the certificate, not the page; ask for a whole copy."),
        ) from None
    if not isinstance(data, dict):
        raise CourseError(gettext("{name} is JSON, but no certificate.").format(name=path.name))
    return data


def _reject_duplicate_fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A name that stands there twice could show a reader one thing and a program another."""
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a field stands there twice")
    return fields


def _reject_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not a JSON number")
