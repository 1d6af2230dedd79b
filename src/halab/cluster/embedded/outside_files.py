"""What a cluster's processes keep outside its folder, since no setting can move it: made usable, and removed.

- Milvus writes pid files to /run/milvus, or to /tmp/milvus if it may not, and /tmp/milvus/server_id_PID. It
  exits if it can write to neither, so /tmp/milvus must be everybody's, like /tmp: else the first user of a
  machine locks all others out.
- SeaweedFS leaves sockets in /tmp, named for its ports.
- The supervisor's socket has a folder of its own, since its path must be short.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import psutil

from halab.cluster.embedded.spec import ClusterSpec, Process
from halab.errors import ClusterError
from halab.translation import gettext

__all__ = ["alias", "remove_outside_files", "share_milvus_folder"]

MILVUS = Path("/tmp/milvus")
MILVUS_OF_ROOT = Path("/run/milvus")
SERVER_ID = "server_id_"
EVERYBODY = 0o1777  # all may write, and remove only what is their own


def share_milvus_folder(folder: Path = MILVUS) -> None:
    """Make the folder that every Milvus writes to, for all users of this machine.

    Raises ClusterError if it is there and this user may not write to it.
    """
    folder.mkdir(exist_ok=True)
    if folder.stat().st_uid == os.getuid():
        folder.chmod(EVERYBODY)  # `mkdir` would leave out what the umask forbids
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ClusterError(
            gettext(
                "Milvus writes to {folder}, whatever its settings, and this user may not: it belongs "
                "to {owner}."
            ).format(folder=folder, owner=folder.owner()),
            hint=gettext("Ask {owner}, or an administrator, to run: chmod 1777 {folder}").format(
                owner=folder.owner(), folder=folder
            ),
        )


def alias(spec: ClusterSpec, process: Process) -> str:
    """A name for Milvus' pid file that no other cluster on the machine has, another user's included."""
    return f"{spec.socket.parent.name}-{process.name}"


def remove_outside_files(spec: ClusterSpec) -> None:
    """Remove what the processes of a cluster have left; they must have ended."""
    for store in spec.of_role("objectstore"):
        for name, port in store.ports.items():
            part = name.replace("grpc", "-grpc")
            Path(f"/tmp/seaweedfs-{part}-{port}.sock").unlink(missing_ok=True)
    for folder in (MILVUS, MILVUS_OF_ROOT):
        for path in folder.glob(f"*{spec.socket.parent.name}-*.pid"):
            path.unlink(missing_ok=True)
    _remove_server_ids(MILVUS)
    shutil.rmtree(spec.socket.parent, ignore_errors=True)


def _remove_server_ids(folder: Path) -> None:
    """Remove this user's files for processes that are no more."""
    for path in folder.glob(f"{SERVER_ID}*"):
        pid = path.name.removeprefix(SERVER_ID)
        try:
            if pid.isdecimal() and not psutil.pid_exists(int(pid)) and path.stat().st_uid == os.getuid():
                path.unlink()
        except FileNotFoundError:
            continue  # another cluster that ends has removed it
