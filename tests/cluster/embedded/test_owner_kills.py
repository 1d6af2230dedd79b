"""Owners that are killed leave nothing: ten of them here, a hundred by hand (benchmarks/owner_kills.py)."""

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[3] / "benchmarks" / "owner_kills.py"


@pytest.mark.cluster
def test_ten_killed_owners_leave_nothing():
    run = subprocess.run([sys.executable, BENCHMARK, "10"], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr[-2000:]
    assert run.stdout.endswith("10 owners killed, 5 of them while the cluster started: 0 left something.\n")
