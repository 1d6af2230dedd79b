"""A Monte Carlo simulation of a chain of blocks: years of operation, one failure at a time.

It answers what `halab.models.availability_repair` answers in closed form, so each checks the other.

Each copy runs for an exponential time of mean MTBF and is repaired for one of mean MTTR. A block is down
while fewer copies work than it needs, while its common cause strikes, and for the failover after a copy that
served is lost to a spare. The chain is down while any block is. Nothing here is measured: it is a simulation.

    simulated = simulate_years(milvus(PROFILES["ha"]), years=200, seed=1)
    simulated.availability, simulated.outages_per_year, simulated.yearly
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from halab.models.availability import DAY, shares
from halab.models.availability_repair import Block, Chain
from halab.translation import gettext

__all__ = ["SimulatedYears", "simulate_years"]

YEAR = 365 * DAY
"""Seconds in a simulated year."""

Times = NDArray[np.float64]
Spans = NDArray[np.float64]
"""Times from and to, one row each."""


@dataclass(frozen=True)
class SimulatedYears:
    """What the simulated years were like. `yearly` is the seconds of downtime in each of them."""

    availability: float
    outages_per_year: float
    yearly: tuple[float, ...]


def simulate_years(chain: Chain, years: int = 200, seed: int = 0) -> SimulatedYears:
    """Simulate a chain for so many years of 365 days; the same seed gives the same years.

    Raises ValueError for less than one year.
    """
    if years < 1:
        raise ValueError(gettext("years must be at least 1, not {years}").format(years=years))
    rng = np.random.default_rng(seed)
    end = years * YEAR
    down = _union(np.concatenate([_block(block, end, rng) for block in chain.blocks]), end)
    edges: Times = np.arange(years + 1, dtype=np.float64) * YEAR
    spent = _downtime_until(down, edges)
    yearly = np.diff(spent)
    return SimulatedYears(1.0 - float(spent[-1]) / end, len(down) / years, tuple(map(float, yearly)))


def _block(block: Block, end: float, rng: np.random.Generator) -> Spans:
    """When a block is down. The spans may overlap."""
    together, alone = shares(block.copy_availability, block.beta)
    copies = [_renewals(alone, block.mttr, end, rng) for _ in range(block.copies)]
    broken = np.concatenate(copies)
    times = np.concatenate([broken[:, 0], broken[:, 1]])
    steps = np.concatenate([np.ones(len(broken)), -np.ones(len(broken))])
    order = np.argsort(times, kind="stable")
    times, steps = times[order], steps[order]
    lost = np.cumsum(steps)
    spare = block.copies - block.needed
    begins = times[(lost == spare + 1) & (steps > 0)]
    ends = times[(lost == spare) & (steps < 0)]
    spans = [np.column_stack([begins, ends]), _renewals(together, block.mttr, end, rng)]
    if spare and block.failover:
        # The copy that broke may have been serving or standing by; only the first costs a failover.
        served = rng.random(len(times)) < block.needed / np.maximum(block.copies - lost + 1, 1)
        switched = times[(steps > 0) & (lost <= spare) & served]
        spans.append(np.column_stack([switched, switched + block.failover]))
    return np.concatenate(spans)


def _renewals(down: float, mttr: float, end: float, rng: np.random.Generator) -> Spans:
    """When something is down, given its share of time down and the mean seconds of a repair."""
    if down == 0 or mttr == 0:
        return np.empty((0, 2))
    mtbf = mttr * (1.0 - down) / down
    spans: list[Spans] = []
    # It starts in its steady state: down with the probability with which it is down later.
    now = 0.0 if rng.random() < down else float(rng.exponential(mtbf))
    while now < end:
        size = int((end - now) / (mtbf + mttr) * 1.1) + 16
        repair, run = rng.exponential(mttr, size), rng.exponential(mtbf, size)
        starts = now + np.concatenate([[0.0], np.cumsum(repair + run)[:-1]])
        spans.append(np.column_stack([starts, starts + repair]))
        now = float(starts[-1] + repair[-1] + run[-1])
    outages = np.concatenate(spans) if spans else np.empty((0, 2))
    return np.minimum(outages[outages[:, 0] < end], end)


def _union(spans: Spans, end: float) -> Spans:
    """The same times without overlap, in order."""
    spans = np.minimum(spans[np.argsort(spans[:, 0], kind="stable")], end)
    if not len(spans):
        return spans
    reach = np.maximum.accumulate(spans[:, 1])
    first = np.concatenate([[True], spans[1:, 0] > reach[:-1]])
    last = np.concatenate([first[1:], [True]])
    return np.column_stack([spans[first, 0], reach[last]])


def _downtime_until(spans: Spans, times: Times) -> Times:
    """Seconds of downtime from the beginning until each of these times."""
    if not len(spans):
        return np.zeros(len(times))
    total = np.concatenate([[0.0], np.cumsum(spans[:, 1] - spans[:, 0])])
    index = np.searchsorted(spans[:, 0], times, side="right")
    over = np.where(index > 0, np.maximum(spans[np.maximum(index - 1, 0), 1] - times, 0.0), 0.0)
    downtime: Times = total[index] - over
    return downtime
