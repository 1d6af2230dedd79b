import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from halab.certificate.signing_keys import PublicKey, make_key, own_key, read_key, read_public_key
from halab.errors import CourseError


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HALAB_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def private(path, content):
    path.write_bytes(content)
    path.chmod(0o600)
    return path


def test_the_learner_s_key_is_made_once_and_only_its_owner_may_read_it(home):
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: own_key().public, range(16)))
    assert len(set(keys)) == 1
    path = home / "keys" / "learner.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["learner.pem"]


def test_a_signature_holds_for_its_message_and_key_alone(tmp_path):
    one, other = make_key(tmp_path / "one"), make_key(tmp_path / "other")
    signature = one.sign(b"points: 18")
    assert one.public.verifies(signature, b"points: 18")
    assert not one.public.verifies(signature, b"points: 19")
    assert not other.public.verifies(signature, b"points: 18")
    assert not one.public.verifies("?", b"points: 18")
    assert signature.endswith("==")
    unseen = signature[:-3] + chr(ord(signature[-3]) + 1) + "=="  # decodes to the same bytes
    assert not one.public.verifies(unseen, b"points: 18")


def test_keys_are_read_back_and_named_by_the_same_fingerprint(tmp_path):
    made = make_key(tmp_path / "issuer.pem")
    assert stat.S_IMODE((tmp_path / "issuer.pem").stat().st_mode) == 0o600
    assert read_key(tmp_path / "issuer.pem").public == made.public
    assert read_public_key(tmp_path / "issuer.pem.pub") == made.public
    assert PublicKey.from_text(made.public.text) == made.public
    assert len(made.public.fingerprint.split()) == 16


@pytest.mark.parametrize("name", ["issuer.pem", "issuer.pem.pub"])
def test_a_key_is_never_overwritten(tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(CourseError, match="never overwritten"):
        make_key(tmp_path / "issuer.pem")
    assert (tmp_path / name).read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_key_that_others_may_read_is_refused(tmp_path):
    make_key(tmp_path / "issuer.pem")
    (tmp_path / "issuer.pem").chmod(0o644)
    with pytest.raises(CourseError, match="Others on this machine may read") as told:
        read_key(tmp_path / "issuer.pem")
    assert "chmod 600" in told.value.hint


def test_what_is_no_key_is_told(tmp_path):
    curve = generate_private_key(SECP256R1())
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    plain = curve.private_bytes(pem, pkcs8, serialization.NoEncryption())
    locked = curve.private_bytes(pem, pkcs8, serialization.BestAvailableEncryption(b"secret"))
    made = make_key(tmp_path / "good")
    for content, words in (
        (b"nonsense", "no private key in PEM"),
        (plain, "not an Ed25519"),
        (locked, "passphrase"),
        (made.public.pem(), "no private key in PEM"),
    ):
        with pytest.raises(CourseError, match=words):
            read_key(private(tmp_path / "key", content))
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "endless").touch()
    os.truncate(tmp_path / "endless", 10 << 30)
    for name in ("absent", "pipe", "endless"):
        with pytest.raises(CourseError, match="cannot be read"):
            read_key(tmp_path / name)
    with pytest.raises(CourseError, match="no public key in PEM"):
        read_public_key(tmp_path / "good")
