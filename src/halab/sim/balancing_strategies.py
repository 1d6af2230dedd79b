"""Strategies of a balancer, for `halab.sim.load_balancing`.

`src/halab/widgets/balancer_race.js` is the mirror of both files; a test compares them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from halab.sim.load_balancing import Strategy

__all__ = ["STRATEGIES", "LeastConnections", "PowerOfTwo", "Random", "RoundRobin"]


class RoundRobin:
    """One after the other, whatever their load."""

    def __init__(self) -> None:
        self._last = -1

    def pick(self, loads: Mapping[int, int], draws: tuple[float, float]) -> int:
        self._last = min(loads, key=lambda node: (node <= self._last, node))
        return self._last


class LeastConnections:
    """The one with the fewest unanswered requests; among equals, one after the other."""

    def __init__(self) -> None:
        self._last = -1

    def pick(self, loads: Mapping[int, int], draws: tuple[float, float]) -> int:
        self._last = min(loads, key=lambda node: (loads[node], node <= self._last, node))
        return self._last


class Random:
    """Any of them."""

    def pick(self, loads: Mapping[int, int], draws: tuple[float, float]) -> int:
        return sorted(loads)[int(draws[0] * len(loads))]


class PowerOfTwo:
    """Of two drawn at random, the one with fewer unanswered requests.

    Source: M. Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing" (2001).
    """

    def pick(self, loads: Mapping[int, int], draws: tuple[float, float]) -> int:
        left = sorted(loads)
        first = left.pop(int(draws[0] * len(left)))
        second = left[int(draws[1] * len(left))] if left else first
        return second if loads[second] < loads[first] else first


STRATEGIES: dict[str, Callable[[], Strategy]] = {
    "round robin": RoundRobin,
    "least connections": LeastConnections,
    "random": Random,
    "two choices": PowerOfTwo,
}
