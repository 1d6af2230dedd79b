"""What shuts a learner's code in: bubblewrap where it works, else what a plain process can do to itself."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import halab
from halab.grading.sandbox import confine
from halab.grading.sandbox.scope import scope
from halab.translation import gettext, gettext_noop

__all__ = ["WEAKER", "Isolation", "isolations"]

WEAKER = gettext_noop(
    "Isolation is weaker: bubblewrap {why}, so plain process limits are used, and {left} by the graded code. "
    "Debian and Ubuntu have it as the package bubblewrap."
)
"""The warning where there is no bubblewrap."""


_COURSE = "/course"  # where bubblewrap shows the learners' `halab`
_PACKAGE = Path(halab.__file__).parent
_NOBODY = 60_606  # a user that owns nothing; only root can become it
_SYSTEM = ("/usr", "/bin", "/lib", "/lib64", "/sbin", "/etc/ld.so.cache", "/etc/localtime")


@dataclass(frozen=True, slots=True)
class Isolation:
    """A way to shut learners' code in. `warning` is empty, or says what it does not keep out.

    `view` is where the sandbox shows the learners' `halab` (see `learner_view`), or empty: where it lies.
    """

    name: str
    before: tuple[str, ...] = ()
    user: int | None = None
    readable: tuple[str, ...] = ()
    warning: str = ""
    view: str = ""

    def command(self, handle: int, view: str) -> list[str]:
        """The command that starts the sandbox' host, with its end of the socket and the learners' `halab`."""
        host = [sys.executable, "-P", "-m", "halab.grading.sandbox.host", str(handle)]
        user = "" if self.user is None else str(self.user)
        if self.view:
            return [*self.before, "--ro-bind", view, self.view, *host, user]
        return [*self.before, *host, user, *self.readable, view]


def isolations() -> Iterator[Isolation]:
    """Every kind this machine may have, the strongest first, each in a scope of its own where systemd makes
    one, and then without. Starting one finds out whether it works.
    """
    for kind in _kinds():
        if scope():
            yield replace(kind, before=(*scope(), *kind.before))
        yield kind


def _kinds() -> Iterator[Isolation]:
    bubblewrap = shutil.which("bwrap")
    if bubblewrap and os.geteuid() == 0:
        # Root can be no one in particular, who has no rights to lose and whose processes are counted.
        rights = ("--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID")
        apart = [f"--unshare-{what}" for what in ("ipc", "pid", "net", "uts", "cgroup-try")]
        yield Isolation("bubblewrap", (bubblewrap, *apart, *rights, *_view()), user=_NOBODY, view=_COURSE)
    if bubblewrap:
        apart = ["--unshare-all", "--unshare-user", "--uid", "1000", "--gid", "1000"]
        yield Isolation("bubblewrap", (bubblewrap, *apart, *_view()), view=_COURSE)
    readable = (*_SYSTEM, *(str(path) for path in _python()))
    why = gettext("does not work here") if bubblewrap else gettext("is not installed")
    left = (
        gettext("files of yours, the course's answers among them, can be read and changed")
        if not confine.landlock_version()
        else gettext("the system's files and the course's answers can be read")
        if _package_is_within(_python())
        else gettext("the system's files can be read")
    )
    yield Isolation(
        gettext("process limits"),
        readable=readable,
        warning=gettext(WEAKER).format(why=why, left=left),
    )


def _view() -> tuple[str, ...]:
    """Bubblewrap's arguments for what can be seen: the system, Python, an empty folder. Not this package."""
    arguments = ["--die-with-parent", "--new-session", "--proc", "/proc", "--dev", "/dev"]
    for folder in map(Path, _SYSTEM):
        if folder.is_symlink() and folder.is_dir():
            arguments += ["--symlink", str(folder.readlink()), str(folder)]
        else:
            arguments += ["--ro-bind-try", str(folder), str(folder)]
    arguments += ["--perms", "1777", "--size", str(confine.SCRATCH_SIZE), "--tmpfs", confine.SCRATCH]
    for path in _python():
        arguments += [*_way_to(path), "--ro-bind", str(path), str(path)]
    if _package_is_within([*_python(), *map(Path, _SYSTEM)]):
        arguments += ["--tmpfs", str(_PACKAGE), "--remount-ro", str(_PACKAGE)]
    arguments += ["--dir", _COURSE]
    if not any(Path("/tmp") in path.parents for path in _python()):
        arguments += ["--symlink", confine.SCRATCH, "/tmp"]
    # Both are in memory, and would be there for the next learner too.
    return (*arguments, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", confine.SCRATCH)


def _python() -> list[Path]:
    """The folders Python is in, without those that lie in another of them."""
    folders = {Path(sys.prefix), Path(sys.base_prefix)}
    executable = Path(sys.executable)
    while executable.is_symlink():  # a virtual environment's Python points to the one it was made from
        executable = executable.parent / executable.readlink()
        folders.add(executable.parent)
    system = Path("/usr")
    return sorted(
        path
        for path in folders
        if not any(other in path.parents for other in {*folders, system}) and path != system
    )


def _package_is_within(folders: Iterable[Path]) -> bool:
    """Whether the course's package, which holds answers, is installed in one of these folders."""
    return any(folder in _PACKAGE.parents for folder in folders)


def _way_to(path: Path) -> list[str]:
    """Folders above that everybody may pass, even if they are closed outside, as /root is."""
    above = reversed([folder for folder in path.parents if folder != Path("/")])
    return [part for folder in above for part in ("--perms", "0755", "--dir", str(folder))]
