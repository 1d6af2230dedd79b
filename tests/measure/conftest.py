"""Journals and samples made by hand, so that a test says what happened and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from halab.measure.journal.journal_file import Header, Journal
from halab.models.samples import Outcome, Sample

OUTCOMES = {".": Outcome.OK, "x": Outcome.FAIL, "?": Outcome.UNKNOWN}


def spell_out(pattern: str, operation: str = "search", interval: float = 0.1) -> list[Sample]:
    """One probe a letter: "." ok, "x" failed, "?" unknown; answered at once, or after a second if unknown."""
    return [
        Sample(
            operation,
            number,
            round(number * interval, 6),
            round(number * interval, 6),
            round(number * interval + (1.0 if mark == "?" else 0.005), 6),
            OUTCOMES[mark],
        )
        for number, mark in enumerate(pattern)
    ]


@pytest.fixture
def samples() -> Callable[..., list[Sample]]:
    return spell_out


@pytest.fixture
def journal() -> Callable[..., Journal]:
    def make(
        samples: Sequence[Sample], *, simulated: bool = False, ttl: float = 10.0, **parts: Any
    ) -> Journal:
        names = tuple(dict.fromkeys(sample.operation for sample in samples))
        header = Header(
            name="lab",
            engine="simulated" if simulated else "embedded",
            profile="ha",
            ttl=ttl,
            versions={"milvus": "2.3.5"},
            seed=0,
            machine={"cores": 2},
            started="2026-11-23T12:00:00+00:00",
            rate=10.0,
            deadline=1.0,
            operations=names,
            timeouts=dict.fromkeys(names, 1.0),
            simulated=simulated,
        )
        return Journal.write(header, samples=samples, **parts)

    return make
