"""JupyterLab's view of the learner's folder: a lesson or exercise is copied there when it is first asked for.

So a plain relative link in a notebook opens the learner's own copy, and no button has to be pressed first.
"""

from __future__ import annotations

import filecmp
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from anyio.to_thread import run_sync
from ipykernel.ipkernel import IPythonKernel
from jupyter_client.kernelspec import NATIVE_KERNEL_NAME, get_kernel_spec
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager

from halab.course.notebook_translation import translate_notebook
from halab.course.paths import course_root
from halab.course.widget_outputs import drop_ended_views
from halab.course.workspace import open_copy, uncopied
from halab.translation import language

__all__ = ["WorkspaceContentsManager"]


class WorkspaceContentsManager(AsyncLargeFileManager):  # type: ignore[misc]
    """JupyterLab's default contents manager, with `work/` as its root, that copies before it serves.

    Its folders list what can be opened, copied or not.
    """

    async def get(self, path: str, *args: Any, **kwargs: Any) -> Any:
        if not self.exists(path):
            await run_sync(open_copy, path)
        model = await super().get(path, *args, **kwargs)
        if model["type"] == "notebook" and model["content"]:
            _name_kernel(model["content"]["metadata"])
            drop_ended_views(model["content"], await self._kernel_process(path))
            await run_sync(translate_notebook, model["content"], path.strip("/"), language())
        if model["type"] == "directory" and model["content"] is not None:
            originals = AsyncLargeFileManager(root_dir=str(course_root()))
            model["content"] += [await originals.get(name, content=False) for name in uncopied(path)]
        return model

    async def _kernel_process(self, path: str) -> int | None:
        """The process id of the kernel that runs for this notebook; None if none does."""
        server = self.parent
        for session in await server.session_manager.list_sessions() if server else ():
            if session["path"] == path.strip("/"):
                provisioner = server.kernel_manager.get_kernel(session["kernel"]["id"]).provisioner
                return provisioner.pid if provisioner else None
        return None

    @contextmanager
    def atomic_writing(self, os_path: str, text: bool = True, **options: Any) -> Iterator[Any]:
        """Write beside the file and then put it in its place, so that whoever grades it reads a whole one.

        Jupyter's own, of the same name, empties the file first and guards only against failed writes.
        """
        target = Path(os_path).resolve()  # a link stays a link
        beside = target.with_name(f".~{target.name}")
        kind = {"mode": "w", "encoding": "utf-8", "newline": "\n"} if text else {"mode": "wb"}
        with self.perm_to_403(os_path):
            try:
                with beside.open(**(kind | options)) as file:
                    yield file
                    file.flush()
                    os.fsync(file.fileno())
                if target.exists():
                    shutil.copymode(target, beside)
                beside.replace(target)
            finally:
                beside.unlink(missing_ok=True)

    def mark_trusted_cells(self, nb: Any, path: str = "") -> None:
        """A copy as it was handed out is trusted: else links and buttons in it ask before they do a thing."""
        original = course_root() / path
        if original.is_file() and filecmp.cmp(original, self._get_os_path(path), shallow=False):
            self.notary.sign(nb)
        super().mark_trusted_cells(nb, path)


def _name_kernel(metadata: dict[str, Any]) -> None:
    """Describe Python's kernel as JupyterLab does once it runs: else an untouched notebook is "unsaved"."""
    if metadata.get("kernelspec", {}).get("name") == NATIVE_KERNEL_NAME:
        spec = get_kernel_spec(NATIVE_KERNEL_NAME)
        metadata["kernelspec"] |= {"display_name": spec.display_name, "language": spec.language}
        metadata["language_info"] = dict(IPythonKernel.language_info)
