"""A machine that is busy with other things."""

import contextlib
import subprocess
import sys


@contextlib.contextmanager
def busy_loops(count):
    """So many processes that want a core each."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()
