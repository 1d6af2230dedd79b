"""The issuer's list of certificates that no longer hold: one JSON file, signed as a whole, to be published.

{"format": "halab-revocations", "version": 1, "revoked": [{"record": "…", "day": "…", "reason": "…"}],
 "public_key": "…", "signature": "…"}
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from halab.certificate.record import canonical
from halab.certificate.signing_keys import PublicKey, SigningKey
from halab.errors import CourseError
from halab.folders import read_plain, write_atomically
from halab.translation import gettext

__all__ = ["Revocation", "read_revocations", "revoke"]

_MOST = 5_000_000  # bytes


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("has characters that cannot be printed")
    return text


class Revocation(BaseModel):
    """One certificate that no longer holds: by the digest of its record, since which day, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    record: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    day: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")]
    reason: Annotated[str, Field(max_length=200), AfterValidator(_printable)]


class _List(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    format: Literal["halab-revocations"]
    version: Literal[1]
    revoked: tuple[Revocation, ...]
    public_key: str
    signature: str


def read_revocations(file: Path, key: PublicKey) -> dict[str, Revocation]:
    """The list by digest. Raises CourseError if it is none, or not signed with this key."""
    try:
        data = json.loads(read_plain(file, _MOST))
        revocations = _List.model_validate_json(json.dumps(data))
    except OSError as error:
        raise CourseError(
            gettext("{file} cannot be read: {why}.").format(file=file, why=error.strerror)
        ) from None
    except (ValueError, ValidationError, RecursionError):
        raise CourseError(
            gettext("{name} is no list of revoked certificates, or was cut off.").format(name=file.name)
        ) from None
    if revocations.public_key != key.text or not key.verifies(revocations.signature, canonical(data)):
        raise CourseError(
            gettext("{name} was not signed with the key of the certificate's issuer, or was altered.").format(
                name=file.name
            ),
            hint=gettext("Ask the issuer for the list."),
        )
    return {entry.record: entry for entry in revocations.revoked}


def revoke(file: Path, digests: list[str], reason: str, key: SigningKey) -> int:
    """Add certificates to the list in `file`, which is made if it is not there. Returns how many it then has.

    Raises CourseError if the file is there and is not a list signed with this key.
    """
    there = read_revocations(file, key.public) if file.exists() else {}
    today = datetime.now().astimezone().date().isoformat()
    try:
        added = [Revocation(record=digest, day=today, reason=reason) for digest in digests]
    except ValidationError:
        raise CourseError(gettext("A reason has up to 200 printable letters.")) from None
    entries = {entry.record: entry for entry in added} | there
    data: dict[str, Any] = {
        "format": "halab-revocations",
        "version": 1,
        "revoked": [entries[digest].model_dump() for digest in sorted(entries)],
        "public_key": key.public.text,
    }
    data["signature"] = key.sign(canonical(data))
    try:
        write_atomically(file, (json.dumps(data, indent=1, sort_keys=True) + "\n").encode())
    except OSError as error:
        raise CourseError(
            gettext("{file} cannot be written: {why}.").format(file=file, why=error.strerror)
        ) from None
    return len(entries)
