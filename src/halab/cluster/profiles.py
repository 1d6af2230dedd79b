"""How many members of each role a cluster has, whichever engine runs it."""

from __future__ import annotations

from collections.abc import Mapping

from halab.models.milvus_versions import ARCHITECTURES, COURSE

__all__ = ["PROFILES"]

PROFILES: Mapping[str, dict[str, int]] = ARCHITECTURES[COURSE].profiles
"""Members by role, by the profile's name."""
