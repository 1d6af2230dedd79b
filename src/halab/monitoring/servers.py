"""Prometheus and Alertmanager as installed on this machine: where they are, how they are set, whom they
scrape.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from halab.cluster.kept_processes import find_program
from halab.cluster.running_cluster import RunningCluster
from halab.errors import ClusterError
from halab.folders import course_root
from halab.translation import gettext, gettext_noop, ngettext

__all__ = [
    "Ports",
    "commands",
    "find_programs",
    "own_rules",
    "rule_files",
    "targets",
    "write_settings",
    "write_targets",
]

INSTALL = gettext_noop(
    "Install them: apt-get install prometheus prometheus-alertmanager (Debian, Ubuntu), or "
    "brew install prometheus alertmanager (macOS)."
)
_NAMES = {"prometheus": ("prometheus",), "alertmanager": ("prometheus-alertmanager", "alertmanager")}
_EVERY = "2s"  # between two scrapes, and between two looks at the rules


@dataclass(frozen=True, slots=True)
class Ports:
    """Where each part listens, on loopback."""

    prometheus: int
    alertmanager: int
    inbox: int
    canary: int


def find_programs() -> dict[str, str]:
    """The paths of Prometheus and Alertmanager. Raises ClusterError naming what is not installed."""
    programs = {program: find_program(*names) for program, names in _NAMES.items()}
    missing = [program for program, place in programs.items() if place is None]
    if missing:
        raise ClusterError(
            ngettext(
                "Monitoring needs Prometheus and Alertmanager, and {missing} is not installed here.",
                "Monitoring needs Prometheus and Alertmanager, and neither is installed here.",
                len(missing),
            ).format(missing=missing[0]),
            hint=gettext(INSTALL),
        )
    return {program: place for program, place in programs.items() if place}


def rule_files() -> list[Path]:
    """The rules that production gets, and those that ask `up` what production asks Kubernetes."""
    return [
        course_root() / "docs" / "production" / "alerts.yaml",
        course_root() / "compose" / "monitoring" / "rules.yml",
    ]


def own_rules(folder: Path) -> Path:
    """The file of rules that may be added while Prometheus runs; none are in it at first."""
    return folder / "own-rules.yml"


def targets(cluster: RunningCluster) -> dict[str, list[dict[str, Any]]]:
    """Whom Prometheus scrapes, by job: every process of Milvus and every member of etcd, each by its name."""
    jobs: dict[str, list[dict[str, Any]]] = {"milvus": [], "milvus-etcd": []}
    for component in cluster.components():
        labels = {"role": component.role, "component": component.name}
        if component.role == "etcd":
            jobs["milvus-etcd"].append({"targets": [component.address], "labels": labels})
        elif port := cluster.loopback_port(component.name, 9091):
            jobs["milvus"].append({"targets": [f"127.0.0.1:{port}"], "labels": labels})
    return jobs


def write_targets(jobs: dict[str, list[dict[str, Any]]], folder: Path) -> None:
    """Write the targets where Prometheus looks for them; it reads a changed file by itself."""
    for job, groups in jobs.items():
        partial = folder / f"{job}.partial"
        partial.write_text(json.dumps(groups))
        partial.replace(folder / f"{job}.json")


def write_settings(folder: Path, ports: Ports) -> None:
    """Write the settings of both into their folder."""
    prometheus = {
        "global": {"scrape_interval": _EVERY, "scrape_timeout": "1s", "evaluation_interval": _EVERY},
        "rule_files": [str(path) for path in (*rule_files(), own_rules(folder))],
        "alerting": {
            "alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{ports.alertmanager}"]}]}]
        },
        "scrape_configs": [
            *(
                {"job_name": job, "file_sd_configs": [{"files": [str(folder / f"{job}.json")]}]}
                for job in ("milvus", "milvus-etcd")
            ),
            {"job_name": "canary", "static_configs": [{"targets": [f"127.0.0.1:{ports.canary}"]}]},
        ],
    }
    alertmanager = {
        # Production groups alerts and waits for more; here each is to be seen at its own moment.
        "route": {
            "receiver": "inbox",
            "group_by": ["..."],
            "group_wait": "0s",
            "group_interval": "1s",
            "repeat_interval": "4h",
        },
        "receivers": [
            {
                "name": "inbox",
                "webhook_configs": [{"url": f"http://127.0.0.1:{ports.inbox}/alerts", "send_resolved": True}],
            }
        ],
    }
    own_rules(folder).write_text("groups: []\n")
    (folder / "prometheus.yml").write_text(yaml.safe_dump(prometheus))
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(alertmanager))


def commands(folder: Path, ports: Ports, programs: dict[str, str]) -> dict[str, list[str]]:
    """How both are started: on loopback, with their data in their folder, Alertmanager without its peers."""
    return {
        "prometheus": [
            programs["prometheus"],
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'prometheus'}",
            "--storage.tsdb.retention.time=12h",
            f"--web.listen-address=127.0.0.1:{ports.prometheus}",
            "--web.enable-lifecycle",  # it reads rules again when it is asked to
            "--log.level=warn",
        ],
        "alertmanager": [
            programs["alertmanager"],
            f"--config.file={folder / 'alertmanager.yml'}",
            f"--storage.path={folder / 'alertmanager'}",
            f"--web.listen-address=127.0.0.1:{ports.alertmanager}",
            "--cluster.listen-address=",
            "--log.level=warn",
        ],
    }
