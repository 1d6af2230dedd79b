"""The kinds of fault the course knows, for the arithmetic and for every engine."""

from __future__ import annotations

from typing import Literal

__all__ = ["FaultKind"]

FaultKind = Literal["crash", "hang", "stop", "restart", "partition", "mute"]
"""partition: cut off its network. mute: cut one way; what it sends is lost, what is sent to it arrives.
Both need a network of its own for each process, so they are for containers."""
