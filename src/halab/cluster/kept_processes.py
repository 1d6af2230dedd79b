"""Servers that somebody else wrote, run beside the cluster, which end when the process that wanted them does.

A process of its own, the keeper, starts them and waits at a pipe. The pipe closes when the block is left, and
when the owner ends, however it ends; the keeper then kills them and deletes the folder.
"""

from __future__ import annotations

import json
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from halab.cluster.embedded.child_process import die_with_parent

__all__ = ["keep_running", "output_of"]


@contextmanager
def keep_running(commands: Mapping[str, Sequence[str]], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run each command, by a name of its own, while the block runs; `folder` is theirs and goes with them.

    What each writes goes to a file, see `output_of`. Yields the keeper, which ends if one of them does.
    """
    keeper = subprocess.Popen(
        [sys.executable, "-m", __name__, json.dumps({name: list(each) for name, each in commands.items()}),
         str(folder)],
        stdin=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C goes to the owner, which then leaves the block
    )  # fmt: skip
    try:
        yield keeper
    finally:
        assert keeper.stdin is not None
        keeper.stdin.close()
        try:
            keeper.wait(timeout=10)
        except subprocess.TimeoutExpired:
            keeper.kill()
            keeper.wait()
        shutil.rmtree(folder, ignore_errors=True)


def output_of(name: str, folder: Path) -> Path:
    """Where a kept process writes."""
    return folder / f"{name}.log"


def _keep(commands: Mapping[str, Sequence[str]], folder: Path) -> None:
    """Run the commands until one of them ends or standard input does, which it does with the owner."""
    running = []
    try:
        for name, command in commands.items():
            with output_of(name, folder).open("wb") as output:
                running.append(
                    subprocess.Popen(
                        command,
                        stdin=subprocess.DEVNULL,
                        stdout=output,
                        stderr=subprocess.STDOUT,
                        preexec_fn=die_with_parent(),  # safe: this process has one thread
                    )
                )
        while all(process.poll() is None for process in running):
            if select.select([sys.stdin], [], [], 0.1)[0]:
                return
    finally:
        for process in running:
            process.kill()
            process.wait()
        if select.select([sys.stdin], [], [], 0)[0]:
            shutil.rmtree(folder, ignore_errors=True)  # the owner may be gone


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    _keep(json.loads(sys.argv[1]), Path(sys.argv[2]))
