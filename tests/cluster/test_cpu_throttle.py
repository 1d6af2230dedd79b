"""The CPU limit on processes that only burn time."""

import subprocess
import sys
import time

import psutil
import pytest

from halab.cluster.cpu_throttle import throttle_cpu
from halab.errors import FaultError


@pytest.fixture
def busy():
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    yield psutil.Process(process.pid)
    process.kill()
    process.wait()


def spent(process):
    times = process.cpu_times()
    return times.user + times.system


def test_a_limited_process_does_a_part_of_its_work_and_then_runs_on(busy):
    began, before = time.monotonic(), spent(busy)
    with throttle_cpu([busy.pid], share=0.2, period=0.05):
        time.sleep(0.8)
        limited = (spent(busy) - before) / (time.monotonic() - began)
    assert 0.02 < limited < 0.5  # exactly 0.2 on a quiet machine
    assert busy.status() != psutil.STATUS_STOPPED


def test_the_process_runs_on_after_an_error_inside_the_block(busy):
    def fails():
        with throttle_cpu([busy.pid], share=0.1, period=0.05):
            time.sleep(0.2)
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert busy.status() != psutil.STATUS_STOPPED


def test_a_limiter_whose_parent_was_killed_lets_the_process_run(busy):
    script = (
        f"import os, time\nfrom halab.cluster.cpu_throttle import throttle_cpu\n"
        f"with throttle_cpu([{busy.pid}], 0.01, 0.5):\n    time.sleep(0.7)\n    os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -9
    until = time.monotonic() + 5
    while busy.status() == psutil.STATUS_STOPPED and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(0.6)  # longer than a period: nobody stops it again
    assert busy.status() != psutil.STATUS_STOPPED


def test_the_end_of_a_limited_process_is_an_error(busy):
    def ends():
        with throttle_cpu([busy.pid], share=0.2, period=0.05):
            busy.kill()
            busy.wait()
            limiters = [child for child in psutil.Process().children() if str(busy.pid) in child.cmdline()]
            assert psutil.wait_procs(limiters, timeout=20)[1] == []

    with pytest.raises(FaultError, match="has ended"):
        ends()


@pytest.mark.parametrize("wrong", [{"share": 0}, {"share": 1}, {"period": 0}, {"period": 5}, {"pids": []}])
def test_a_limit_that_is_none_is_refused(wrong):
    with (
        pytest.raises(FaultError, match="share between 0 and 1"),
        throttle_cpu(**({"pids": [1], "share": 0.2} | wrong)),
    ):
        pass
