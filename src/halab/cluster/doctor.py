"""`halab doctor`: can clusters run on this machine? A line a check with what to do, and one verdict."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import psutil
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from halab.cluster.compose.docker import find_docker
from halab.cluster.embedded import binaries, embedded_cluster, ports, spec
from halab.cluster.haproxy import find_haproxy
from halab.errors import HalabError
from halab.folders import cache_folder
from halab.tables import html_table, text_table
from halab.translation import gettext, gettext_noop, name_list

__all__ = ["Check", "Report", "doctor"]

Verdict = Literal["PASS", "WARN", "FAIL"]
GIB = 1 << 30
STYLE = {gettext_noop("PASS"): "green", gettext_noop("WARN"): "yellow", gettext_noop("FAIL"): "bold red"}
MARK = {"PASS": "✓", "WARN": "!", "FAIL": "✗"}
_HEADING = "halab doctor"
_COLUMNS = ("", gettext_noop("check"), gettext_noop("found"), gettext_noop("what to do"))
FLAGS = ("sse4_2",)  # the least that Milvus needs; it uses AVX, AVX2 and AVX-512 where present


@dataclass(frozen=True, slots=True)
class Check:
    """One line: what was checked, the verdict, what was found, and what to do ("" if nothing)."""

    name: str
    verdict: Verdict
    found: str
    advice: str = ""


class Report:
    """All checks. Shown as a table in a terminal or a notebook; `ok` is False if any failed."""

    def __init__(self, checks: list[Check]) -> None:
        self.checks = checks

    @property
    def ok(self) -> bool:
        return not self._any("FAIL")

    def as_dicts(self) -> list[dict[str, Any]]:
        return [asdict(check) for check in self.checks]

    @property
    def verdict(self) -> str:
        """All checks in one line, for whoever reads no further or is sent the last line only."""
        warned, failed = (
            [check.name for check in self.checks if check.verdict == verdict] for verdict in ("WARN", "FAIL")
        )
        if failed:
            names = name_list(failed)
            return gettext(
                "{mark} Not ready: {names} failed. Do what stands beside it, then run it again."
            ).format(mark=MARK["FAIL"], names=names)
        if warned:
            return gettext("{mark} Ready: clusters run here. Worth a look: {warned}.").format(
                mark=MARK["WARN"], warned=name_list(warned)
            )
        return gettext("{mark} Ready: clusters run here, and every check passed.").format(mark=MARK["PASS"])

    def __repr__(self) -> str:
        return text_table(_HEADING, _COLUMNS, self._rows(), [self.verdict], align="left")

    def _repr_html_(self) -> str:
        return html_table(_HEADING, _COLUMNS, self._rows(), [self.verdict], align="left")

    def _rows(self) -> list[tuple[str, ...]]:
        return [(_marked(check.verdict), check.name, check.found, check.advice) for check in self.checks]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        table = Table(show_header=True, title=_HEADING, title_justify="left")
        for column in _COLUMNS:
            table.add_column(gettext(column))
        for check in self.checks:
            verdict = Text(_marked(check.verdict), style=STYLE[check.verdict])
            table.add_row(verdict, check.name, check.found, check.advice)
        yield table
        worst = next((verdict for verdict in ("FAIL", "WARN") if self._any(verdict)), "PASS")
        yield Text(self.verdict, style=STYLE[worst])

    def _any(self, verdict: str) -> bool:
        return any(check.verdict == verdict for check in self.checks)


def _marked(verdict: Verdict) -> str:
    return f"{MARK[verdict]} {gettext(verdict)}"


def doctor() -> Report:
    """Check this machine for everything that clusters, grading and the lessons need.

    Starts nothing; unpacks the server binaries if that has not been done yet.
    """
    return Report([check for checks in _CHECKS for check in checks()])


def _platform() -> Iterator[Check]:
    here = gettext("{system} {machine}, Python {python_version}").format(
        system=platform.system(), machine=platform.machine(), python_version=platform.python_version()
    )
    if problem := binaries.platform_problem():
        advice = gettext("Use the simulated engine; everything else of the course works.")
        yield Check(gettext("platform"), "FAIL", f"{here}: {problem}", advice)
    elif sys.platform != "linux":
        yield Check(
            gettext("platform"),
            "WARN",
            gettext("{here}: has the wheels, but was never tested").format(here=here),
            gettext("Tell us how it went."),
        )
    else:
        yield Check(gettext("platform"), "PASS", here)


def _processor() -> Iterator[Check]:
    cores = psutil.cpu_count() or 1
    if cores < 2:
        yield Check(
            gettext("cores"),
            "WARN",
            f"{cores}",
            gettext("Two or more; with one, faults take longer to show and to pass."),
        )
    else:
        yield Check(gettext("cores"), "PASS", f"{cores}")
    info = Path("/proc/cpuinfo")
    if platform.machine() == "x86_64" and info.exists():
        missing = [flag for flag in FLAGS if flag not in info.read_text()]
        if missing:
            yield Check(
                gettext("CPU flags"),
                "FAIL",
                gettext("without {missing}").format(missing=", ".join(missing)),
                gettext("Milvus needs a CPU that has them."),
            )
        else:
            yield Check(gettext("CPU flags"), "PASS", gettext("has {flags}").format(flags=", ".join(FLAGS)))


def _memory() -> Iterator[Check]:
    free = psutil.virtual_memory().available / GIB
    detail = gettext("{free:.1f} GiB free").format(free=free)
    if free < 1:
        yield Check(
            gettext("memory"), "FAIL", detail, gettext("Profile small needs about 1 GiB, ha about 2.")
        )
    elif free < 2.5:
        yield Check(gettext("memory"), "WARN", detail, gettext('Use profile="small", or close something.'))
    else:
        yield Check(gettext("memory"), "PASS", detail)


def _disk() -> Iterator[Check]:
    for name, folder, needed in (
        (gettext("disk: clusters"), spec.clusters_folder(), 3.0),
        (gettext("disk: binaries"), cache_folder(), 0.4),
    ):
        free = shutil.disk_usage(_existing(folder)).free / GIB
        detail = gettext("{free:.1f} GiB free for {folder}").format(free=free, folder=folder)
        if free < needed:
            yield Check(
                name,
                "FAIL",
                detail,
                gettext("Free {needed:g} GiB, or set HALAB_HOME and HALAB_CACHE elsewhere.").format(
                    needed=needed
                ),
            )
        else:
            yield Check(name, "PASS", detail)


def _existing(folder: Path) -> Path:
    return next(parent for parent in (folder, *folder.parents) if parent.exists())


def _packages() -> Iterator[Check]:
    if binaries.platform_problem():
        return
    try:
        programs = binaries.find_binaries()
    except HalabError as error:
        yield Check(gettext("binaries"), "FAIL", error.message, error.hint)
        return
    versions = ", ".join(f"{part} {version}" for part, version in programs.versions.items())
    yield Check(gettext("binaries"), "PASS", gettext("{versions}; digests checked").format(versions=versions))


def _ports() -> Iterator[Check]:
    needed = spec.ports_needed("ha")
    try:
        ports.free_ports(needed)
    except HalabError as error:
        yield Check(gettext("ports"), "FAIL", error.message, error.hint)
    else:
        yield Check(
            gettext("ports"),
            "PASS",
            gettext("{found} free between {first} and {last}").format(
                found=needed, first=ports.FIRST, last=ports.LAST
            ),
        )


def _runtime_folder() -> Iterator[Check]:
    """Milvus keeps sockets in /run/milvus, else /tmp/milvus, and dies if that is another user's."""
    for folder in (Path("/run/milvus"), Path(tempfile.gettempdir()) / "milvus"):
        if folder.exists() and not os.access(folder, os.W_OK):
            advice = gettext("Ask its owner or an administrator to remove {folder}.").format(folder=folder)
            yield Check(
                gettext("runtime folder"),
                "FAIL",
                gettext("{folder} belongs to another user").format(folder=folder),
                advice,
            )
            return
    yield Check(gettext("runtime folder"), "PASS", gettext("not taken by another user"))


def _leftovers() -> Iterator[Check]:
    running = {cluster.name for cluster in embedded_cluster.clusters()}
    folders = {path.parent.name for path in spec.clusters_folder().glob("*/cluster.json")}
    if running:
        yield Check(
            gettext("clusters"), "PASS", gettext("running: {names}").format(names=", ".join(sorted(running)))
        )
    stale = sorted(folders - running)
    orphans = _orphans()
    if stale or orphans:
        detail = gettext("{stale} stale folder(s), {orphans} process(es) without a supervisor").format(
            stale=len(stale), orphans=len(orphans)
        )
        yield Check(gettext("leftovers"), "WARN", detail, gettext("Run: halab down --all"))
    else:
        yield Check(gettext("leftovers"), "PASS", gettext("none"))


def _orphans() -> list[int]:
    """Processes of our Milvus binary that no supervisor holds."""
    cache = str(cache_folder())
    pids = []
    for process in psutil.process_iter(["exe", "ppid", "pid"]):
        if (process.info["exe"] or "").startswith(cache) and process.info["ppid"] == 1:
            pids.append(process.info["pid"])
    return pids


def _interfaces() -> Iterator[Check]:
    """Milvus 2.3.5 listens on every interface and has no setting for it: warn where another one is up."""
    open_to = sorted(
        address.address
        for name, addresses in psutil.net_if_addrs().items()
        for address in addresses
        if address.family == socket.AF_INET
        and not address.address.startswith("127.")
        and psutil.net_if_stats()[name].isup
    )
    if not open_to:
        yield Check(gettext("network"), "PASS", gettext("only loopback is up"))
        return
    detail = gettext("Milvus' ports listen on every interface ({open_to}), without a password").format(
        open_to=", ".join(open_to)
    )
    advice = gettext(
        "On a network you do not trust, close ports {first}-{last} in the firewall while a "
        "cluster runs. etcd, the log and the object store listen on loopback only."
    ).format(first=ports.FIRST, last=ports.LAST)
    yield Check(gettext("network"), "WARN", detail, advice)


def _files() -> Iterator[Check]:
    if sys.platform == "win32":
        return
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 1024:
        yield Check(
            gettext("open files"),
            "WARN",
            gettext("at most {soft} a process").format(soft=soft),
            gettext("Run: ulimit -n 4096"),
        )
    else:
        yield Check(gettext("open files"), "PASS", gettext("up to {soft} a process").format(soft=soft))


def _balancer() -> Iterator[Check]:
    """Only lesson 5 needs HAProxy, which it puts in front of the proxies."""
    try:
        command = find_haproxy()
    except HalabError as error:
        detail = gettext("HAProxy is not installed: lesson 5 goes on without its balancer")
        yield Check(gettext("balancer"), "WARN", detail, error.hint)
        return
    words = subprocess.run([command, "-v"], capture_output=True, text=True, check=False).stdout.split()
    yield Check(
        gettext("balancer"),
        "PASS",
        gettext("HAProxy {names}, for lesson 5").format(names=" ".join(words[2:3])),
    )


def _sandbox() -> Iterator[Check]:
    """Grading isolates code with bubblewrap; without it, only process limits are left."""
    command = shutil.which("bwrap")
    if command is None:
        detail = gettext("bubblewrap is not installed: `halab grade` falls back to plain process limits")
        yield Check(
            gettext("sandbox"),
            "WARN",
            detail,
            gettext("Install it before grading other people's work (package bubblewrap)."),
        )
        return
    tried = subprocess.run(
        [command, "--unshare-all", "--ro-bind", "/", "/", "true"], capture_output=True, text=True, check=False
    )
    if tried.returncode:
        detail = gettext("bubblewrap does not work here: {strip}").format(strip=tried.stderr.strip())
        yield Check(
            gettext("sandbox"),
            "WARN",
            detail,
            gettext("Allow unprivileged user namespaces, or grade on another machine."),
        )
    else:
        yield Check(gettext("sandbox"), "PASS", gettext("bubblewrap isolates the code that is graded"))


def _containers() -> Iterator[Check]:
    """Docker is optional: without it the other two engines work all the same."""
    try:
        docker = find_docker()
    except HalabError as error:
        yield Check(
            gettext("containers"),
            "WARN",
            gettext("Only for the engine compose. {message}").format(message=error.message),
            error.hint,
        )
    else:
        yield Check(
            gettext("containers"),
            "PASS",
            gettext("{product} {version} with Compose v2 answers").format(
                product=docker.product, version=docker.version
            ),
        )


_CHECKS: tuple[Callable[[], Iterator[Check]], ...] = (
    _platform,
    _processor,
    _memory,
    _disk,
    _files,
    _packages,
    _ports,
    _runtime_folder,
    _leftovers,
    _interfaces,
    _sandbox,
    _balancer,
    _containers,
)
