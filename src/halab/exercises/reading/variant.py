"""Exercise 5: made-up nodes, peaks and benchmark tables. Rates are a second, times are seconds.

Nothing here was measured: each table has at most one flaw, and it is known which.
"""

from __future__ import annotations

import random

from halab.exercises.learner_numbers import per_learner
from halab.exercises.reading.given import Data, Plan, Variant, Workload, race
from halab.sim.load_balancing import Node

__all__ = [
    "FLAWS",
    "make_latencies",
    "make_plan",
    "make_table",
    "make_workload",
    "make_workloads",
    "race",
    "variant",
]

FLAWS = ("coordinated omission", "client-bound", "no warm-up", "none")


def make_workload(rng: random.Random, kind: str) -> Workload:
    """A race of a kind: "unequal" speeds, one "slow" node, one "grey" later, or one "leaving"."""
    speeds = [rng.uniform(40, 60) for _ in range(3)]
    if kind == "unequal":
        speeds = [speeds[0] * 1.5, speeds[1], speeds[2] * 0.6]
    if kind == "slow":
        speeds[rng.randrange(3)] /= 4
    nodes = [Node(speed) for speed in speeds]
    ill = rng.randrange(3)
    if kind == "grey":
        nodes[ill] = Node(speeds[ill], grey_at=2.0)
    if kind == "leaving":
        nodes[ill] = Node(speeds[ill], leaves_at=2.0)
    share = 0.5 if kind in ("grey", "leaving") else 0.65
    return Workload(tuple(nodes), share * sum(speeds), 8.0, rng.getrandbits(32))


def make_workloads(rng: random.Random) -> list[Workload]:
    """A race of each kind."""
    return [make_workload(rng, kind) for kind in ("unequal", "slow", "grey", "leaving")]


def make_plan(rng: random.Random) -> Plan:
    """A peak that some number of nodes can serve."""
    one_node = float(rng.randint(80, 400))
    contention, coherence = round(rng.uniform(0.01, 0.06), 3), round(rng.uniform(0.0002, 0.002), 4)
    headroom = rng.choice((0.2, 0.25, 0.3, 0.4))
    return Plan(
        round(one_node * rng.uniform(1.5, 4)),
        one_node,
        contention,
        coherence,
        headroom,
        rng.choice((1, 1, 2)),
    )


def make_table(rng: random.Random, flaw: str = "") -> Data:
    """A benchmark's result with this flaw, which may be "none"; by chance if not given."""
    flaw = flaw or rng.choice(FLAWS)
    loop = "closed" if flaw == "coordinated omission" else rng.choice(("closed", "open"))
    middle = rng.uniform(0.004, 0.03)
    p99 = middle * rng.uniform(2, 4)
    stalled = flaw == "coordinated omission" or (loop == "open" and rng.random() < 0.6)
    longest = p99 * (rng.uniform(15, 60) if stalled else rng.uniform(1.2, 3))
    rate = rng.uniform(100, 900)
    rates = [round(rate * rng.uniform(0.9, 1.1)) for _ in range(10)]
    if flaw == "no warm-up":
        rates[0] = round(rate * rng.uniform(0.05, 0.35))
    elif rng.random() < 0.5:
        rates[rng.randrange(3, 9)] = round(rate * rng.uniform(0.1, 0.4))  # a stall later is no cold start
    cores = rng.uniform(0.92, 1.0) if flaw == "client-bound" else rng.uniform(0.1, 0.85)
    return {
        "loop": loop,
        "rates": rates,
        "p50": round(middle, 4),
        "p99": round(p99, 4),
        "longest": round(longest, 4),
        "client_cores": round(cores, 2),
    }


def make_latencies(rng: random.Random) -> tuple[list[float], float]:
    """Latencies of a client that means to ask every so often, with a stall or two, and that interval."""
    interval = rng.choice((0.01, 0.02, 0.05))
    latencies = [round(interval * rng.uniform(0.1, 0.9), 4) for _ in range(rng.randint(150, 250))]
    for place in rng.sample(range(len(latencies)), rng.choice((1, 2))):
        latencies[place] = round(interval * (rng.randint(20, 60) + 0.5), 4)
    return latencies, interval


@per_learner(card=5)
def variant(rng: random.Random) -> Variant:
    """The exercise of this learner (default: the one at work here), the same each time."""
    kinds = [*FLAWS, *FLAWS]
    rng.shuffle(kinds)
    latencies, interval = make_latencies(rng)
    return Variant(
        make_workload(rng, "slow"),
        make_plan(rng),
        [make_table(rng, kind) for kind in kinds],
        latencies,
        interval,
    )
