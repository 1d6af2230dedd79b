"""Where halab keeps what belongs to this machine and its user rather than to the course."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

__all__ = ["cache_folder", "home_folder"]


def home_folder() -> Path:
    """What runs here, such as clusters: HALAB_HOME, or the user's data folder. May not exist yet."""
    return Path(os.environ.get("HALAB_HOME") or platformdirs.user_data_dir("halab"))


def cache_folder() -> Path:
    """What can be made again, such as unpacked binaries: HALAB_CACHE, or the user's cache folder."""
    return Path(os.environ.get("HALAB_CACHE") or platformdirs.user_cache_dir("halab"))
