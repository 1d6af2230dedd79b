"""Node.js, to run a widget's arithmetic outside a browser."""

import os
import shutil
import sys
from pathlib import Path


def node() -> str:
    """The Node.js of the dev extra, else the system's; a test that needs it fails where there is none."""
    beside_python = str(Path(sys.executable).parent)
    program = shutil.which("node", path=os.pathsep.join([beside_python, os.environ["PATH"]]))
    assert program, "Node.js is needed; the dev extra brings it: pip install -e '.[dev]'"
    return program
