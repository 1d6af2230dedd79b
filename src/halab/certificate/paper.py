"""A certificate in short, signed by itself, as the QR on the printed page holds it: so paper can be checked.

HALAB3.<what it says>.<signature>      both in base64url; what it says is JSON, the signature is over that
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
from dataclasses import dataclass
from typing import Any

from halab.certificate.record import Record, canonical
from halab.certificate.signing_keys import PublicKey, SigningKey
from halab.errors import CourseError
from halab.translation import gettext

__all__ = ["Paper", "paper_text", "qr_picture", "read_paper", "record_digest"]

PREFIX = "HALAB3"
_LONGEST = 2000  # letters
_FIELDS = ("name", "id", "org", "by", "course", "hours", "on", "until", "key", "points", "record")


@dataclass(frozen=True, slots=True)
class Paper:
    """What a QR says, and the bytes its signature must hold for."""

    says: dict[str, str]
    signed: bytes
    signature: str

    def verifies(self, key: PublicKey) -> bool:
        return key.verifies(self.signature, self.signed)


def paper_text(record: Record, key: SigningKey) -> str:
    """The record in short, signed."""
    says = {
        "name": record.name,
        "id": record.learner,
        "org": record.organisation,
        "by": record.person,
        "course": record.course.en,
        "hours": str(record.course.hours),
        "on": f"{record.issued:%Y-%m-%d}",
        "until": record.valid_until,
        "key": record.key,
        "points": " ".join(
            f"{exercise.card}:{exercise.points:g}/{exercise.out_of:g}" for exercise in record.exercises
        ),
        "record": record_digest(record),
    }
    signed = json.dumps(says, ensure_ascii=False, separators=(",", ":")).encode()
    return f"{PREFIX}.{_text(signed)}.{_text(base64.b64decode(key.sign(signed)))}"


def record_digest(record: Record) -> str:
    """By which the paper names the record it is of."""
    return hashlib.sha256(canonical(record.model_dump(mode="json"))).hexdigest()[:32]


def read_paper(text: str) -> Paper:
    """What a scanned QR says. Nothing of it is proven yet. Raises CourseError if it is no certificate's."""
    try:
        if len(text) > _LONGEST:
            raise ValueError("too long")
        prefix, payload, signature = "".join(text.split()).split(".")
        signed = _bytes(payload)
        says: Any = json.loads(signed)
        if prefix != PREFIX or set(says) != set(_FIELDS):
            raise ValueError("of another form")
        if not all(isinstance(value, str) and value.isprintable() for value in says.values()):
            raise ValueError("with signs that cannot be printed")
        return Paper(says, signed, base64.b64encode(_bytes(signature)).decode())
    except (ValueError, TypeError, RecursionError):
        raise CourseError(
            gettext("This is not what the QR of a certificate says: {text!r} …").format(text=text[:20]),
            hint=gettext("Scan it anew and give all of it; it begins with {prefix}.").format(prefix=PREFIX),
        ) from None


def qr_picture(text: str) -> str:
    """The QR as SVG, without a size of its own."""
    import segno  # here: who only reads certificates draws none

    drawn = io.BytesIO()
    segno.make(text, error="l", micro=False).save(
        drawn, kind="svg", xmldecl=False, svgns=False, border=2, omitsize=True, svgclass=None, lineclass=None
    )
    return drawn.getvalue().decode().strip()


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    data = base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)
    if _text(data) != text:
        raise ValueError("not canonical base64url")
    return data
