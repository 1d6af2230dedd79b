"""A real balancer in front of several proxies: HAProxy, which has to be installed on the system.

    with balance(proxies(cluster), "leastconn") as front:
        MilvusClient(front.uri)
        front.servers()                      # connections of each, and whether it passes the health checks

It balances TCP connections: it chooses a server for each connection once, and never sees a request. Its
settings are HAProxy's defaults (a check every 2 s, three failures until a server is taken out) but for two: a
refused connection is tried with another server at once (`option redispatch 1`), and a single thread keeps the
order of connections exact. Source: HAProxy 2.6 configuration manual, sections 4.2 (`balance`,
`option redispatch`) and 5.2 (`check`, `inter`, `fall`); management guide, sections 9.1 and 9.3 (`show stat`).

It ends with the block, and with this process, however that ends: see `kept_processes`.
"""

from __future__ import annotations

import csv
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from halab.cluster.embedded.child_process import tail
from halab.cluster.embedded.ports import free_ports
from halab.cluster.kept_processes import await_start, find_program, keep_running, output_of
from halab.cluster.protocol import Cluster
from halab.errors import ClusterError, NotReady
from halab.translation import gettext, gettext_noop

__all__ = ["ALGORITHMS", "Balancer", "Server", "balance", "find_haproxy", "proxies"]

ALGORITHMS = ("roundrobin", "leastconn", "random")
"""The card's three strategies, as HAProxy calls them. Its `random` draws two servers and takes the one with
fewer connections."""

INSTALL = gettext_noop(
    "Install it: apt-get install haproxy (Debian, Ubuntu) or brew install haproxy (macOS)."
)
_STARTS_WITHIN = 10.0  # seconds until a server has passed its first check
_UNCHECKED = ("UNK", "INI")

_CONFIGURATION = """\
global
    nbthread 1
    stats socket {folder}/stats mode 600
defaults
    mode tcp
    timeout connect 1s
    timeout client 1h
    timeout server 1h
    option redispatch 1
listen milvus
    bind 127.0.0.1:{port}
    balance {algorithm}
{servers}
"""


@dataclass(frozen=True, slots=True)
class Server:
    """A server as the balancer sees it: whether it passes the checks, its connections now and in total."""

    name: str
    up: bool
    open: int
    total: int


class Balancer:
    """A running HAProxy, made by `balance`. `uri` is where clients connect."""

    def __init__(self, folder: Path, port: int, algorithm: str) -> None:
        self.uri = f"http://127.0.0.1:{port}"
        self.algorithm = algorithm
        self._folder = folder

    def servers(self) -> list[Server]:
        """Its counts of each server now. Raises ClusterError if it no longer runs."""
        try:
            rows = self._rows()
        except OSError:
            raise ClusterError(
                gettext("The balancer does not answer. It wrote:\n{tail}").format(
                    tail=tail(output_of("haproxy", self._folder))
                ),
                hint=gettext("Open it again: leave its `with` block and enter a new one."),
            ) from None
        return [
            Server(row["svname"], row["status"].startswith("UP"), int(row["scur"]), int(row["stot"]))
            for row in rows
        ]

    def _rows(self) -> list[dict[str, str]]:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(2.0)
            line.connect(str(self._folder / "stats"))
            line.sendall(b"show stat milvus 4 -1\n")  # 4: servers only
            answer = b"".join(iter(lambda: line.recv(65536), b"")).decode()
        return list(csv.DictReader(answer.removeprefix("# ").splitlines()))

    def _ready(self) -> bool | None:
        """True if a server has passed a check, False if all have failed one, None while neither is so."""
        try:
            rows = self._rows()
        except OSError:
            return None  # its socket is not there yet
        checked = [row for row in rows if row["check_status"].lstrip("* ") not in _UNCHECKED]
        if any(row["status"].startswith("UP") for row in checked):
            return True
        return False if rows and len(checked) == len(rows) else None


def proxies(cluster: Cluster) -> dict[str, str]:
    """The addresses of a cluster's proxies by name, for `balance`. Raises ClusterError if it is simulated."""
    if cluster.simulation:
        raise ClusterError(
            gettext("A simulated cluster has no proxies that a balancer could connect to."),
            hint=gettext("Use the embedded engine."),
        )
    return {part.name: part.address for part in cluster.components() if part.role == "proxy"}


def find_haproxy() -> str:
    """The path of HAProxy. Raises ClusterError if it is not installed."""
    command = find_program("haproxy")
    if command is None:
        raise ClusterError(
            gettext("The balancer is HAProxy, and it is not installed here."), hint=gettext(INSTALL)
        )
    return command


@contextmanager
def balance(servers: Mapping[str, str], algorithm: str = "leastconn") -> Iterator[Balancer]:
    """Run HAProxy in front of `servers` (host:port by name) while the block runs.

    Raises ClusterError if it is not installed or has nothing to do, NotReady if no server passes its check.
    """
    if not servers or algorithm not in ALGORITHMS:
        raise ClusterError(
            gettext(
                "A balancer needs servers and one of {algorithms}; found {count} servers and {algorithm!r}."
            ).format(algorithms=", ".join(ALGORITHMS), count=len(servers), algorithm=algorithm),
            hint=gettext('For example balance(proxies(cluster), "leastconn").'),
        )
    command = find_haproxy()
    folder = Path(tempfile.mkdtemp(prefix="halab-"))  # private, and short enough for a socket's path
    # A server that is down now will want its port back.
    port = free_ports(1, [int(address.rpartition(":")[2]) for address in servers.values()])[0]
    (folder / "haproxy.cfg").write_text(_configuration(folder, port, algorithm, servers))
    # -db: stay in the foreground
    commands = {"haproxy": [command, "-db", "-f", str(folder / "haproxy.cfg")]}
    with keep_running(commands, folder) as keeper:
        front = Balancer(folder, port, algorithm)
        _await_checks(front, keeper, folder)
        yield front


def _configuration(folder: Path, port: int, algorithm: str, servers: Mapping[str, str]) -> str:
    lines = "\n".join(f"    server {name} {address} check" for name, address in servers.items())
    return _CONFIGURATION.format(folder=folder, port=port, algorithm=algorithm, servers=lines)


def _await_checks(front: Balancer, keeper: subprocess.Popen[bytes], folder: Path) -> None:
    if not await_start(front._ready, keeper, "HAProxy", folder, _STARTS_WITHIN):
        raise NotReady(
            gettext("The balancer runs, but none of its servers answers."),
            hint=gettext("See `halab status` for the proxies."),
        )
