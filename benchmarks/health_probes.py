"""How soon real health checks notice a crash and a hang: the card's settings and its faster ones.

    python benchmarks/health_probes.py [repeats]    of each settings and fault; 3 if not given, about 7 min

A query node of an ha cluster is killed or stopped at a random moment between two probes, and the course's
kubelet alone mends it, by httpGet on /healthz, with a grace period of 2 s. A hung process is never noticed by
tcpSocket; that is measured beside it.
"""

from __future__ import annotations

import os
import sys
import tempfile

from rich.console import Console
from rich.table import Table

from halab.cluster.embedded import embedded_cluster
from halab.measure.experiments.kubelet_experiments import (
    detection_times,
    health_check,
    tcp_http_passes,
    tcp_vs_http,
    usual_pod,
)
from halab.measure.probing.retriever import Retriever
from halab.models.health_probes import CARD, TUNED, HealthProbe, ProbedFault, detection

FAULTS: tuple[ProbedFault, ...] = ("crash", "hang")


def shown(times: list[float]) -> str:
    return ", ".join(f"{each:.1f}" for each in sorted(times)) + " s"


def measure(retriever: Retriever, probe: HealthProbe, fault: ProbedFault, repeats: int) -> list[str]:
    span, verdicts, ready = detection(probe, fault), [], []
    for seed in range(repeats):
        journal = health_check(
            retriever.cluster, f"{fault} any query node", pod=usual_pod(probe), retriever=retriever, seed=seed
        )
        found = detection_times(journal)
        verdicts.append(found.verdict or float("nan"))
        ready.append(found.ready or float("nan"))
    settings = f"{probe.period:g} / {probe.timeout:g} / {probe.failures}"
    return [settings, fault, f"{span.least:g} to {span.most:g} s", shown(verdicts), shown(ready)]


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    table = Table("period / timeout / failures", "fault", "formula", "noticed after", "ready again after")
    with tempfile.TemporaryDirectory() as home:
        os.environ["HALAB_HOME"] = home  # clusters of a benchmark are no learner's clusters
        with embedded_cluster.start("benchmark") as cluster, Retriever(cluster) as retriever:
            for probe in (CARD, TUNED):
                for fault in FAULTS:
                    table.add_row(*measure(retriever, probe, fault, repeats))
            open_port = tcp_http_passes(tcp_vs_http(cluster, "hang any query node", retriever=retriever))
    console = Console()
    console.print(table)
    console.print(
        f"While it hung: tcpSocket passed {open_port.tcp_passed} of {open_port.tcp}, "
        f"httpGet {open_port.http_passed} of {open_port.http}."
    )


if __name__ == "__main__":
    main()
