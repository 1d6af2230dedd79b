"""The kinds of fault the course knows, for the arithmetic and for every engine."""

from __future__ import annotations

from typing import Literal

__all__ = ["FaultKind"]

FaultKind = Literal["crash", "hang", "stop", "restart", "partition"]
