"""What a reader may rely on in the files of `work/.halab`: each record has at least these fields.

A record may have more: a newer halab wrote them. What a newer halab reads besides, it must not require here,
since older records lack it.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from halab.course.catalogue import BEYOND

__all__ = ["RECORD_MODELS"]

_Card = Annotated[int, Field(ge=1, le=BEYOND[-1].number)]  # a lesson beyond the cards is counted on
_Number = Annotated[float, Field(allow_inf_nan=False)]
_Points = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Record(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")


class _Prediction(_Record):
    card: _Card
    experiment: str
    time: _Number
    numbers: dict[str, _Number]


class _Check(_Record):
    task: str
    hint: str


class _Grade(_Record):
    card: _Card
    points: _Points | None = None
    out_of: _Points | None = None
    checks: list[_Check]


class _Hint(_Record):
    topic: str


class _Copy(_Record):
    path: str
    sha256: str


RECORD_MODELS: dict[str, type[BaseModel]] = {
    "predictions.jsonl": _Prediction,
    "grades.jsonl": _Grade,
    "hints.jsonl": _Hint,
    "copies.jsonl": _Copy,
}
"""The form of the records of a file, by the file's name."""
