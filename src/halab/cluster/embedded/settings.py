"""milvus.yaml, and the command line of each process: every setting that differs from Milvus' own, and why."""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from halab.cluster.embedded.binaries import Binaries
from halab.cluster.embedded.outside_files import alias
from halab.cluster.embedded.spec import ClusterSpec, Process

__all__ = ["Command", "brokers_of", "command", "log_retention", "milvus_yaml", "write_settings"]

BUCKET = "halab"
ETCD_QUOTA = 256 << 20  # bytes a member may store; a lab cluster uses a few MiB
WEED_VOLUME_MB = 64
# Both trade some CPU for a fifth of a cluster's memory: Go collects at half its usual growth, and the
# C library gives threads two heaps to share instead of up to eight for each core.
SMALL_MEMORY = {"GOGC": "50", "MALLOC_ARENA_MAX": "2"}

PORT_VARIABLE = {
    "rootcoord": "ROOTCOORD_PORT",
    "querycoord": "QUERYCOORD_PORT",
    "datacoord": "DATACOORD_PORT",
    "querynode": "QUERYNODE_PORT",
    "datanode": "DATANODE_PORT",
    "indexnode": "INDEXNODE_PORT",
    "proxy": "PROXY_PORT",
}


@dataclass(frozen=True, slots=True)
class Command:
    argv: list[str]
    env: dict[str, str]
    cwd: Path


def brokers_of(folder: Path) -> list[str]:
    """Addresses the log answers on, as it wrote them when it came up; [] if it has not yet."""
    try:
        brokers: list[str] = json.loads((folder / "log" / "log.json").read_text())["brokers"]
    except (OSError, ValueError, KeyError):
        return []
    return brokers


def log_retention(folder: Path) -> int:
    """Bytes that the log keeps of each partition, as it wrote them when it came up; 0 if it has not yet."""
    try:
        return int(json.loads((folder / "log" / "log.json").read_text())["retention"])
    except (OSError, ValueError, KeyError):
        return 0


def write_settings(spec: ClusterSpec, binaries: Binaries) -> None:
    """Write milvus.yaml and glog.conf (query and index nodes die without it) into <folder>/conf."""
    conf = spec.folder / "conf"
    conf.mkdir(exist_ok=True)
    text = milvus_yaml(
        spec, (binaries.milvus_data / "config.yaml.template").read_text(), brokers_of(spec.folder)
    )
    new = conf / "milvus.yaml.new"
    new.touch(mode=0o600)
    new.write_text(text)
    new.replace(conf / "milvus.yaml")
    glog = (binaries.milvus_data / "glog.conf").read_text()
    (conf / "glog.conf").write_text(glog.replace("--logtostderr=false", "--logtostderr=true"))


def milvus_yaml(spec: ClusterSpec, template: str, brokers: list[str]) -> str:
    """The wheel's own template with our changes; figures in the comments were measured on Milvus 2.3.5."""
    settings: dict[str, Any] = yaml.safe_load(
        re.sub(r"\{\{\s*[\w()]+(?::\s*([^}]*?))?\s*\}\}", r"\1", template)
    )
    _merge(settings, _stores(spec, brokers))
    _merge(settings, _failover(spec))
    _merge(settings, _lab_sized())
    for role in (
        "rootCoord",
        "queryCoord",
        "dataCoord",
        "indexCoord",
        "queryNode",
        "dataNode",
        "indexNode",
        "proxy",
    ):
        # Only the address a role advertises: every role listens on all interfaces, and has no setting.
        _merge(settings, {role: {"ip": "127.0.0.1"}})
    return yaml.safe_dump(settings)


def _stores(spec: ClusterSpec, brokers: list[str]) -> dict[str, Any]:
    store = spec.of_role("objectstore")[0]
    return {
        "etcd": {
            "endpoints": ",".join(spec.etcd_endpoints()),
            "rootPath": spec.prefix,
            "use": {"embed": False},
        },
        "mq": {"type": "kafka"},
        "kafka": {
            "brokerList": ",".join(brokers),
            "saslUsername": "",
            "saslPassword": "",
            "saslMechanisms": "",
            "securityProtocol": "",
            # Kafka answers a waiting reader as soon as there is something to read; the mock broker answers
            # only when the reader's wait is over, by default 500 ms.
            "consumer": {"fetch.wait.max.ms": 100},
        },
        "minio": {
            "address": "127.0.0.1",
            "port": store.ports["s3"],
            "accessKeyID": spec.access_key,
            "secretAccessKey": spec.secret_key,
            "bucketName": BUCKET,
            "rootPath": spec.prefix,
        },
        "common": {
            "storageType": "remote",
            "chanNamePrefix": {"cluster": spec.prefix},
            "session": {"ttl": spec.ttl},
        },
        "localStorage": {"path": "data"},  # relative: each role has a working folder of its own
    }


def _failover(spec: ClusterSpec) -> dict[str, Any]:
    """The settings without which a fault is never recovered from, or late (measured on 2.3.5)."""
    standby = {"enableActiveStandby": len(spec.of_role("rootcoord")) > 1}
    return {
        **dict.fromkeys(("rootCoord", "queryCoord", "dataCoord", "indexCoord"), standby),
        "grpc": {
            "client": {
                # Default 10 s: clients sleep while the standby comes up, and are back after 23 s, not 9.
                "maxBackoff": 1,
                "keepAliveTimeout": 2000,  # default 20 s: a hung coordinator is not left within half a minute
            }
        },
        # Default 1800 s: a query node told to stop while all replicas need it would never exit.
        "common": {"gracefulStopTimeout": 10},
        "queryNode": {"gracefulStopTimeout": 10},
    }


def _lab_sized() -> dict[str, Any]:
    return {
        "rootCoord": {"dmlChannelNum": 4},  # default 16 topics: a laptop needs few
        "queryCoord": {
            "checkChannelInterval": 200,
            "checkSegmentInterval": 200,
            "distPullInterval": 200,
        },  # default 1000, 1000, 500 ms: loads wait for them
        "log": {"level": "warn", "stdout": True, "file": {"rootPath": ""}},
        "proxy": {"http": {"enabled": False}, "ginLogging": False},
        "dataCoord": {
            "gc": {"interval": 600, "dropTolerance": 600}
        },  # bounds the disk that dropped rows hold
    }


def _merge(into: dict[str, Any], changes: dict[str, Any]) -> None:
    for key, value in changes.items():
        if isinstance(value, dict):
            if not isinstance(into.get(key), dict):
                into[key] = {}
            _merge(into[key], value)
        else:
            into[key] = value


def command(process: Process, spec: ClusterSpec, binaries: Binaries) -> Command:
    """How to start one process, always the same way: a restart restores exactly these settings."""
    cwd = spec.folder / process.name
    cwd.mkdir(exist_ok=True)
    if process.role == "etcd":
        return Command(_etcd(process, spec, binaries), _environment(), cwd)
    if process.role == "objectstore":
        return Command(_weed(process, spec, binaries, cwd), _environment(), cwd)
    if process.role == "log":
        return Command(
            [sys.executable, str(Path(__file__).with_name("log_server.py")), str(cwd)], _environment(), cwd
        )
    return Command(
        [str(binaries.milvus), "run", process.role, "-alias", alias(spec, process)],
        _milvus_environment(process, spec, binaries),
        cwd,
    )


def _environment() -> dict[str, str]:
    # The learner's environment may carry proxies, or Milvus' and etcd's own settings: not meant for us.
    foreign = re.compile(r"(?i).*_proxy|etcd_.*|minio_.*|milvus.*|.*coord.*|common_.*|mq_.*|kafka.*")
    own = {key: value for key, value in os.environ.items() if not foreign.fullmatch(key)}
    return own | SMALL_MEMORY


def _milvus_environment(process: Process, spec: ClusterSpec, binaries: Binaries) -> dict[str, str]:
    env = _environment()
    libraries = str(binaries.milvus_libraries)
    env |= {
        "LD_LIBRARY_PATH": libraries,
        "DYLD_LIBRARY_PATH": libraries,  # macOS, untested
        "MILVUSCONF": "../conf",  # relative to its working folder: Milvus takes a comma for the end of a path
        "METRICS_PORT": str(process.ports["metrics"]),
        PORT_VARIABLE[process.role]: str(process.ports["grpc"]),
    }
    if process.role == "proxy":
        env["PROXY_INTERNALPORT"] = str(process.ports["internal"])
    return env


def _etcd(process: Process, spec: ClusterSpec, binaries: Binaries) -> list[str]:
    members = spec.of_role("etcd")
    client, peer = (f"http://127.0.0.1:{process.ports[port]}" for port in ("client", "peer"))
    started_before = (spec.folder / process.name / "data").exists()
    return [
        str(binaries.etcd),
        f"--name={process.name}",
        "--data-dir=data",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        "--initial-cluster=" + ",".join(f"{m.name}=http://127.0.0.1:{m.ports['peer']}" for m in members),
        f"--initial-cluster-state={'existing' if started_before else 'new'}",
        f"--initial-cluster-token={spec.prefix}",
        "--unsafe-no-fsync",  # the data is scrap; a slow disk must not look like a fault
        f"--quota-backend-bytes={ETCD_QUOTA}",
        "--auto-compaction-mode=revision",
        "--auto-compaction-retention=1000",
        "--log-level=warn",
    ]


def _weed(process: Process, spec: ClusterSpec, binaries: Binaries, cwd: Path) -> list[str]:
    identity = {
        "name": "halab",
        "credentials": [{"accessKey": spec.access_key, "secretKey": spec.secret_key}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    keys = cwd / "identities.json"
    keys.touch(mode=0o600)
    keys.write_text(json.dumps({"identities": [identity]}))
    (cwd / "data").mkdir(exist_ok=True)
    port = process.ports
    return [
        str(binaries.weed),
        # Like `weed server`, but each part starts when the one before it answers: S3 is there after 0.8 s.
        # `weed server` sleeps one second before the filer and two before S3, and looks again a second later.
        "mini",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-dir=data",  # relative to its working folder: a comma in a path would make two of it
        f"-s3.config={keys.name}",
        f"-s3.port={port['s3']}",
        f"-s3.port.grpc={port['s3grpc']}",
        f"-master.port={port['master']}",
        f"-master.port.grpc={port['mastergrpc']}",
        f"-volume.port={port['volume']}",
        f"-volume.port.grpc={port['volumegrpc']}",
        f"-filer.port={port['filer']}",
        f"-filer.port.grpc={port['filergrpc']}",
        # Its maintenance server cannot be left out. Its worker looks for it 10,000 ports above, where nothing
        # is, and says so in the output now and then: a scrap store needs no maintenance.
        f"-admin.port={port['admin']}",
        f"-admin.port.grpc={port['admingrpc']}",
        "-admin.ui=false",
        "-webdav=false",
        "-s3.port.iceberg=0",  # on by default on fixed ports: the second cluster would clash
        "-s3.port.lance=0",
        "-master.telemetry=false",
        f"-master.volumeSizeLimitMB={WEED_VOLUME_MB}",
        "-volume.max=16",
    ]
