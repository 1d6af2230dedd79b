"""HAProxy in front of two small TCP servers; and what is said without it."""

import socket
import socketserver
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

import halab
from halab.cluster import kept_processes
from halab.cluster.haproxy import _configuration, balance, find_haproxy, proxies
from halab.errors import ClusterError, NotReady

TWO = {"proxy-1": "127.0.0.1:20001", "proxy-2": "127.0.0.1:20002"}


class Named(socketserver.ThreadingTCPServer):
    """Says its name to everyone who connects, and keeps the connection until the other side closes it."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, name, port=0):
        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                self.request.sendall(name.encode())
                while self.request.recv(100):
                    pass

        super().__init__(("127.0.0.1", port), Handler)
        self.name = name
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def address(self):
        return f"127.0.0.1:{self.server_address[1]}"

    def end(self):
        self.shutdown()
        self.server_close()


@pytest.fixture
def two():
    servers = [Named("proxy-1"), Named("proxy-2")]
    yield servers
    for server in servers:
        server.end()


def addresses(servers):
    return {server.name: server.address for server in servers}


def port_of(front):
    return int(front.uri.rpartition(":")[2])


def connect(front):
    """A connection through the balancer, and the name of the server behind it."""
    line = socket.create_connection(("127.0.0.1", port_of(front)), timeout=5)
    return line, line.recv(100).decode()


def until(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    assert condition()


def test_the_configuration_names_every_server_and_listens_on_loopback_only(tmp_path):
    text = _configuration(tmp_path, 20_500, "random", TWO)
    assert "bind 127.0.0.1:20500\n" in text
    assert "balance random\n" in text
    assert f"stats socket {tmp_path}/stats mode 600\n" in text
    for name, address in TWO.items():
        assert f"server {name} {address} check\n" in text


def test_without_haproxy_it_is_said_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setattr(kept_processes, "_FOLDERS", ())
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ClusterError, match="apt-get install haproxy"), balance(TWO):
        pass


@pytest.mark.parametrize(("servers", "algorithm"), [({}, "leastconn"), (TWO, "power of two")])
def test_a_balancer_without_servers_or_with_an_unknown_strategy_is_refused(servers, algorithm):
    with pytest.raises(ClusterError, match="roundrobin, leastconn, random"), balance(servers, algorithm):
        pass


def test_a_simulated_cluster_has_nothing_to_balance():
    with halab.cluster(engine="simulated") as cluster, pytest.raises(ClusterError, match="embedded engine"):
        proxies(cluster)


def test_a_program_that_ends_at_once_is_told_with_what_it_wrote(monkeypatch, tmp_path):
    fake = tmp_path / "haproxy"
    fake.write_text("#!/bin/sh\necho no such balance\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(NotReady, match="no such balance"), balance(TWO):
        pass


@pytest.mark.slow
@pytest.mark.usefixtures("haproxy")
def test_connections_are_counted_where_they_went(two):
    with balance(addresses(two), "random") as front, ExitStack() as stack:
        names = []
        for _ in range(6):
            line, name = connect(front)
            stack.enter_context(line)
            names.append(name)
        for server in front.servers():
            assert server.up
            assert server.open == server.total == names.count(server.name)


@pytest.mark.usefixtures("haproxy")
def test_round_robin_counts_who_came_and_least_connections_who_is_still_there(two):
    for algorithm, expected in (("roundrobin", [4, 0]), ("leastconn", [2, 2])):
        with balance(addresses(two), algorithm) as front, ExitStack() as stack:
            for number in range(4):
                stack.enter_context(connect(front)[0])
                connect(front)[0].close()  # comes and goes between two that stay
                until(lambda f=front, n=number: sum(s.open for s in f.servers()) == n + 1)
            assert sorted((s.open for s in front.servers()), reverse=True) == expected, algorithm


@pytest.mark.usefixtures("haproxy")
def test_a_dead_server_is_passed_over_at_once(two):
    with balance(addresses(two)) as front:
        two[0].end()
        for _ in range(4):
            line, name = connect(front)
            line.close()
            assert name == "proxy-2"


@pytest.mark.slow
@pytest.mark.usefixtures("haproxy")
def test_servers_that_are_all_dead_are_not_ready(two):
    for server in two:
        server.end()
    with pytest.raises(NotReady, match="none of its servers"), balance(addresses(two)):
        pass


@pytest.mark.slow
@pytest.mark.usefixtures("haproxy")
def test_a_balancer_that_died_says_so_and_one_that_was_left_leaves_nothing(two):
    with balance(addresses(two)) as front:
        folder = front._folder
        (haproxy,) = running(folder)
        # On Linux HAProxy ends with the process that keeps it, and so with the owner.
        (haproxy.parent() if sys.platform == "linux" else haproxy).kill()
        until(lambda: not haproxy.is_running())
        with pytest.raises(ClusterError, match="does not answer"):
            front.servers()
    assert not folder.exists()


def running(folder):
    """The HAProxy that was started from a folder."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if (line := process.info["cmdline"]) and line[-1] == str(folder / "haproxy.cfg")
    ]


@pytest.mark.slow
@pytest.mark.usefixtures("haproxy")
def test_nothing_is_left_of_a_balancer_whose_owner_was_killed(two):
    script = (
        "import os, sys\nfrom halab.cluster.haproxy import balance\n"
        f"with balance({addresses(two)!r}) as front:\n"
        "    print(front._folder, flush=True)\n    os.kill(os.getpid(), 9)"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    folder = Path(ended.stdout.strip())
    assert folder.name.startswith("halab-")
    until(lambda: not folder.exists() and not running(folder))


@pytest.mark.usefixtures("haproxy")
def test_it_is_found_where_debian_keeps_it(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Path(find_haproxy()).name == "haproxy"
