import os
import time

import psutil
import pytest

from halab.certificate import pdf
from halab.certificate.pdf import print_pdf


@pytest.fixture
def browser(tmp_path, monkeypatch):
    """Put a script in the browser's place."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def be(script):
        path = folder / "chromium"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    return be


def test_without_a_browser_the_reason_is_given(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "none of chromium, chromium-browser, google-chrome is on PATH" in print_pdf("", tmp_path / "a.pdf")
    assert not (tmp_path / "a.pdf").exists()


@pytest.mark.parametrize(
    ("script", "told"),
    [("exit 7", "chromium did not make it: it ended with status 7"), ("exit 0", "chromium did not make it")],
)
def test_a_browser_that_fails_is_told(browser, tmp_path, script, told):
    browser(script)
    assert print_pdf("", tmp_path / "a.pdf") == told
    assert not (tmp_path / "a.pdf").exists()


def test_a_browser_that_hangs_is_ended_with_its_children(browser, tmp_path, monkeypatch):
    monkeypatch.setattr(pdf, "_TIMEOUT", 1.0)
    browser(f"sleep 600 & echo $! > {tmp_path}/child; wait")
    assert "took longer than 1 s and was ended" in print_pdf("", tmp_path / "a.pdf")
    child = int((tmp_path / "child").read_text())
    deadline = time.monotonic() + 10
    while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "its child runs on"
        time.sleep(0.05)
