"""JupyterLab's view of the learner's folder: a lesson or exercise is copied there when it is first asked for.

So a plain relative link in a notebook opens the learner's own copy, and no button has to be pressed first.
"""

from __future__ import annotations

from typing import Any

from anyio.to_thread import run_sync
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager

from halab.course.workspace import open_copy

__all__ = ["WorkspaceContentsManager"]


class WorkspaceContentsManager(AsyncLargeFileManager):  # type: ignore[misc]
    """JupyterLab's default contents manager, with `work/` as its root, that copies before it serves."""

    async def get(self, path: str, *args: Any, **kwargs: Any) -> Any:
        if not self.exists(path):
            await run_sync(open_copy, path)
        return await super().get(path, *args, **kwargs)
