"""The kinds of fault the course knows, for the arithmetic and for every engine.

A new kind is named here, and then told to each that must know what it does:

cluster/embedded/process_faults.py      how it is injected and undone in a process
cluster/compose/container_faults.py     the same in a container
cluster/simulated.py                    what the simulated cluster's components show of it
models/failover.py                      how soon the others notice, in closed form
sim/failover_requests.py                what becomes of each request
widgets/timeline.py and timeline.js     its name and its picture in the animation
"""

from __future__ import annotations

from typing import Literal

__all__ = ["FaultKind"]

FaultKind = Literal["crash", "hang", "stop", "restart", "partition", "mute"]
"""partition: cut off its network. mute: cut one way; what it sends is lost, what is sent to it arrives.
Both need a network of its own for each process, so they are for containers."""
