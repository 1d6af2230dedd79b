"""Ed25519 keys: a learner's own, made at first use, and an issuer's, in PEM files.

A key's fingerprint is SHA-256 of its 32 public bytes. Two people who compare it, on the phone or on paper,
know that they speak of the same key.
"""

from __future__ import annotations

import base64
import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from halab.course.store import create_once
from halab.errors import CourseError
from halab.folders import home_folder, read_plain
from halab.translation import gettext, gettext_noop

__all__ = ["PublicKey", "SigningKey", "make_key", "own_key", "read_key", "read_public_key"]

_MOST = 100_000  # bytes: a key has some hundred
_MAKE_ONE = gettext_noop("`halab key FILE` makes one.")


@dataclass(frozen=True)
class PublicKey:
    """A key to check signatures with. It is no secret."""

    raw: bytes

    @classmethod
    def from_text(cls, text: str) -> PublicKey:
        """From base64, as a certificate carries it. Raises CourseError."""
        try:
            raw = _bytes(text)
            Ed25519PublicKey.from_public_bytes(raw)
        except ValueError:
            raise CourseError(
                gettext("The certificate's public key is not one."),
                hint=gettext("Ask for an untouched copy."),
            ) from None
        return cls(raw)

    @property
    def text(self) -> str:
        return base64.b64encode(self.raw).decode()

    @property
    def fingerprint(self) -> str:
        """Sixteen groups of four hexadecimal digits."""
        digits = hashlib.sha256(self.raw).hexdigest()
        return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))

    def verifies(self, signature: str, message: bytes) -> bool:
        """Whether the holder of this key signed the message; `signature` is base64."""
        try:
            key = Ed25519PublicKey.from_public_bytes(self.raw)
            key.verify(_bytes(signature), message)
        except (InvalidSignature, ValueError):
            return False
        return True

    def pem(self) -> bytes:
        key = Ed25519PublicKey.from_public_bytes(self.raw)
        return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


@dataclass(frozen=True, repr=False)
class SigningKey:
    """A key to sign with. Whoever has it can sign in its holder's name."""

    private: Ed25519PrivateKey

    @property
    def public(self) -> PublicKey:
        return PublicKey(self.private.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> str:
        """The signature, in base64."""
        return base64.b64encode(self.private.sign(message)).decode()

    def pem(self) -> bytes:
        return self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )


def own_key() -> SigningKey:
    """The learner's own key, `keys/learner.pem` in halab's home folder; made now if there is none."""
    path = home_folder() / "keys" / "learner.pem"
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        create_once(path, _new().pem(), mode=0o600)
    return read_key(path)


def make_key(path: Path) -> SigningKey:
    """Write a new private key (mode 0600) to `path`, and its public key beside it as `path`.pub.

    Raises CourseError if either file is there already: a key is never overwritten.
    """
    public = path.with_name(f"{path.name}.pub")
    for file in (path, public):
        if os.path.lexists(file):
            raise CourseError(
                gettext("{file} is there already, and a key is never overwritten.").format(file=file),
                hint=gettext("Choose another name."),
            )
    key = _new()
    try:
        written = create_once(path, key.pem(), mode=0o600) and create_once(public, key.public.pem())
    except OSError as error:
        raise CourseError(
            gettext("{file} cannot be written: {why}.").format(file=path, why=error.strerror),
            hint=gettext("Choose another place."),
        ) from None
    if not written:
        raise CourseError(
            gettext("{path} was made by somebody else just now.").format(path=path),
            hint=gettext("Choose another name."),
        )
    return key


def read_key(path: Path) -> SigningKey:
    """A private key in PEM. Raises CourseError if it is no Ed25519 key, or if others may read it."""
    content = _content(path)
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise CourseError(
            gettext(
                "Others on this machine may read the private key {path}, so its signatures would prove "
                "nothing."
            ).format(path=path),
            hint=gettext(
                "Run: chmod 600 {path}. If somebody may have copied it, make a new one instead."
            ).format(path=path),
        )
    try:
        key = serialization.load_pem_private_key(content, password=None)
    except TypeError:
        raise CourseError(
            gettext(
                "The private key {path} is encrypted with a passphrase, which halab does not ask for."
            ).format(path=path),
            hint=gettext("Use a key without one. {make_one}").format(make_one=gettext(_MAKE_ONE)),
        ) from None
    except ValueError:
        raise CourseError(
            gettext("{path} holds no private key in PEM.").format(path=path), hint=gettext(_MAKE_ONE)
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise CourseError(
            gettext("{path} holds a private key, but not an Ed25519 one.").format(path=path),
            hint=gettext(_MAKE_ONE),
        )
    return SigningKey(key)


def read_public_key(path: Path) -> PublicKey:
    """A public key in PEM, as `halab key` writes it. Raises CourseError."""
    try:
        key = serialization.load_pem_public_key(_content(path))
    except ValueError:
        raise CourseError(
            gettext("{path} holds no public key in PEM.").format(path=path),
            hint=gettext("`halab key FILE` writes it to FILE.pub."),
        ) from None
    if not isinstance(key, Ed25519PublicKey):
        raise CourseError(
            gettext("{path} holds a public key, but not an Ed25519 one.").format(path=path),
            hint=gettext(_MAKE_ONE),
        )
    return PublicKey(key.public_bytes_raw())


def _new() -> SigningKey:
    return SigningKey(Ed25519PrivateKey.generate())


def _bytes(text: str) -> bytes:
    """From base64, in its one right spelling: the last letter can otherwise be changed unseen."""
    raw = base64.b64decode(text, validate=True)
    if base64.b64encode(raw).decode() != text:
        raise ValueError("not canonical base64")
    return raw


def _content(path: Path) -> bytes:
    try:
        return read_plain(path, _MOST)
    except OSError as error:
        raise CourseError(
            gettext("The key {path} cannot be read: {why}.").format(path=path, why=error.strerror),
            hint=gettext(_MAKE_ONE),
        ) from None
