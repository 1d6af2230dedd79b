"""Servers that somebody else wrote, run beside the cluster, which end when the process that wanted them does.

A process of its own, the keeper, starts them and waits at a pipe. The pipe closes when the block is left, and
when the owner ends, however it ends; the keeper then kills them and deletes the folder.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from halab.cluster.embedded.child_process import die_with_parent, tail
from halab.errors import NotReady
from halab.translation import gettext

__all__ = ["await_start", "find_program", "keep_running", "output_of"]

T = TypeVar("T")

# Debian and Homebrew install servers in folders that are not in an ordinary user's PATH.
_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/bin")


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


def find_program(*names: str) -> str | None:
    """The path of a program by the first of its names that is installed; None if none is."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *_FOLDERS])
    return next(filter(None, (shutil.which(name, path=path) for name in names)), None)


def await_start(
    look: Callable[[], T | None],
    keeper: subprocess.Popen[bytes],
    name: str,
    folder: Path,
    seconds: float,
    hint: str = "Run: halab doctor",
) -> T:
    """What `look` says of a kept process once it says anything; None is that it has not started yet.

    Raises NotReady, with what the process wrote last and `hint`, if one of them ended or `seconds` are over.
    """
    until = time.monotonic() + seconds
    while (state := look()) is None:
        if keeper.poll() is not None or time.monotonic() > until:
            raise NotReady(
                gettext("{name} did not come up. It wrote:\n{tail}").format(
                    name=name, tail=tail(output_of(name.lower(), folder))
                ),
                hint=hint,
            )
        time.sleep(0.05)
    return state


def output_of(name: str, folder: Path) -> Path:
    """The file that a kept process writes to."""
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
