"""A page as PDF, through a browser without a window, where there is one."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

from halab.course.store import create_once
from halab.translation import gettext

__all__ = ["print_pdf"]

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_TIMEOUT = 60.0  # seconds; it takes two or three


def print_pdf(page: str, path: Path) -> str:
    """Print a self-contained HTML page into a new file. Returns "", or why no PDF was made.

    The browser reaches no network, keeps nothing, and is ended with all its children.
    """
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if browser is None:
        return gettext("no browser is there to make it: none of {browsers} is on PATH").format(
            browsers=", ".join(_BROWSERS)
        )
    with tempfile.TemporaryDirectory(prefix="halab-print-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / "page.html").write_text(page, encoding="utf-8")
        problem = _run(_command(browser, folder), folder)
        made = folder / "page.pdf"
        if problem or not made.is_file():
            failed = gettext("{browser} did not make it").format(browser=Path(browser).name)
            return f"{failed}: {problem}" if problem else failed
        create_once(path, made.read_bytes())
    return ""


def _command(browser: str, folder: Path) -> list[str]:
    command = [
        browser,
        "--headless",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-breakpad",
        "--disable-component-update",
        "--disable-extensions",
        "--disable-sync",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        f"--user-data-dir={folder / 'profile'}",
        "--no-pdf-header-footer",
        f"--print-to-pdf={folder / 'page.pdf'}",
        (folder / "page.html").as_uri(),
    ]
    if os.name == "posix" and os.geteuid() == 0:
        command.insert(1, "--no-sandbox")  # Chromium refuses root otherwise; the page is our own
    return command


def _run(command: list[str], folder: Path) -> str:
    """Run it in a process group of its own, which is ended whatever happens. Returns what went wrong."""
    environment = os.environ | {"HOME": str(folder), "TMPDIR": str(folder)}
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )
    except OSError as error:
        return error.strerror or str(error)
    try:
        status = process.wait(_TIMEOUT)
    except subprocess.TimeoutExpired:
        return gettext("it took longer than {seconds:.0f} s and was ended").format(seconds=_TIMEOUT)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return gettext("it ended with status {status}").format(status=status) if status else ""
