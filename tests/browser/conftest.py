"""The JupyterLab of `halab lab` in headless Chromium, for any test that opens a notebook as a learner would.

    def test_something(open_lab, chromium_page):
        lab = open_lab(folder)                       # a server whose root is the folder with the notebooks
        notebook = lab.open_notebook(chromium_page, "lesson.ipynb")
        notebook.run_all()
        notebook.screenshot("lesson")                # build/screenshots/lesson.png

The server keeps to loopback and to folders of its own: nothing of the user's configuration is read or
written. `chromium_page` fails the test if the page logs an error or sends a request beyond loopback.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import nbformat
import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Locator, Page, expect, sync_playwright

from halab.course.jupyterlab import lab_command
from halab.course.paths import course_root

REPOSITORY = Path(__file__).parents[2]
SCREENSHOTS = REPOSITORY / "build" / "screenshots"
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
IN_FRONT = ".jp-NotebookPanel:not(.lm-mod-hidden)"
# The parts of an output that are wider than their place, so that they are cut off or must be scrolled.
WIDER = """(output) => [output, ...output.querySelectorAll('div')]
  .filter((part) => part.checkVisibility() && part.scrollWidth > part.clientWidth + 1)
  .map((part) => `${part.className} ${part.scrollWidth} > ${part.clientWidth}`)"""
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium_path() -> str:
    """Where the system's Chromium is. Skips the test if it is nowhere; in CI that is a failure instead."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path:
        return path
    reason = "needs Chromium: none of chromium, chromium-browser, google-chrome is on PATH"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@dataclass
class Traffic:
    """What a page said and asked for."""

    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        page.on(
            "console", lambda message: self.errors.append(message.text) if message.type == "error" else None
        )
        page.on("pageerror", self._page_error)
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("websocket", lambda websocket: self.requests.append(websocket.url))

    def _page_error(self, error: Error) -> None:
        stack = error.stack or str(error)
        # JupyterLab's notebook layout now and then removes a cell it has removed already (jupyterlab#15415).
        # The course's widgets, which run from blob: addresses, take nothing out of the page this way.
        if "'removeChild' on 'Node'" in stack and "blob:" not in stack:
            print(f"A known flaw of JupyterLab showed itself; the test goes on:\n{stack}")
        else:
            self.errors.append(stack)

    def beyond_loopback(self) -> list[str]:
        local = ("blob", "data", "about")
        return [
            url
            for url in self.requests
            if urlsplit(url).scheme not in local and urlsplit(url).hostname not in (*LOOPBACK, "::1")
        ]


@dataclass
class Notebook:
    """A notebook open in JupyterLab."""

    page: Page

    @property
    def panel(self) -> Locator:
        """The notebook's own part of the window: other notebooks may be open behind it."""
        return self.page.locator(IN_FRONT)

    def cell(self, source: str) -> Locator:
        """The code cell that holds this text. Scrolled to, since JupyterLab draws others only when needed."""
        self.page.evaluate(
            """async (source) => {
                 const cells = window.jupyterapp.shell.currentWidget.content;
                 const at = cells.widgets.findIndex((cell) => cell.model.sharedModel.source.includes(source));
                 await cells.scrollToItem(at, 'start');
               }""",
            source,
        )
        code = self.page.locator(".cm-content", has_text=source)
        return self.panel.locator(".jp-CodeCell").filter(has=code).first

    def run_all(self, timeout: float = 120.0) -> None:
        """Run every cell and wait until the kernel has done so. Fails with the text of the first error."""
        self._run("notebook:run-all-cells", count=None, timeout=timeout)

    def run_next(self, cells: int, timeout: float = 120.0) -> None:
        """Press Shift+Enter so many times, code cells and prose alike, and wait for what it ran."""
        self._run("notebook:run-cell-and-select-next", count=cells, timeout=timeout)

    def _run(self, command: str, count: int | None, timeout: float) -> None:
        self.page.evaluate(
            """async ([command, count]) => {
                 const cells = window.jupyterapp.shell.currentWidget.content;
                 const from = count === null ? 0 : cells.activeCellIndex;
                 window.awaited = cells.widgets.slice(from, count === null ? undefined : from + count)
                   .filter((cell) => cell.model.type === 'code' && cell.model.sharedModel.source.trim());
                 window.awaited.forEach((cell) => cell.model.clearExecution());
                 for (let i = 0; i < (count ?? 1); i++) window.jupyterapp.commands.execute(command);
               }""",
            [command, count],
        )
        # Asked of the model and not of the page, which has only the cells near the window.
        self.page.wait_for_function(
            """() => window.awaited.every((cell) => cell.model.executionCount !== null
                 && cell.model.executionState !== 'running')
               || window.awaited.some((cell) => cell.model.sharedModel.getOutputs()
                 .some((output) => output.output_type === 'error'))""",
            timeout=timeout * 1000,
        )
        assert self.complaints() == []

    def complaints(self) -> list[str]:
        """What the cells run last wrote to stderr, and their errors."""
        found: list[str] = self.page.evaluate(
            """() => window.awaited.flatMap((cell) => cell.model.sharedModel.getOutputs())
                 .filter((output) => output.output_type === 'error' || output.name === 'stderr')
                 .map((output) => [].concat(output.traceback ?? output.text).join('\\n'))"""
        )
        return found

    def shows(self, source: str, said: str, name: str) -> None:
        """The output of the cell that holds `source` says so and fits its place; its picture is `name`."""
        output = self.cell(source).locator(".jp-OutputArea").first
        expect(output).to_contain_text(said)
        assert output.evaluate(WIDER) == [], source
        self.screenshot(name, output)

    def theme(self, name: str) -> None:
        """Switch to a theme such as "JupyterLab Dark"."""
        self.page.evaluate(
            "(theme) => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", name
        )
        light = "false" if "Dark" in name else "true"
        self.page.wait_for_selector(f'body[data-jp-theme-light="{light}"]', state="attached")

    def screenshot(self, name: str, part: str | Locator | None = None) -> Path:
        """A picture under build/screenshots/, of the whole window or of one element."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        path = SCREENSHOTS / f"{name}.png"
        if isinstance(part, str):
            part = self.page.locator(part).first
        (part or self.page).screenshot(path=path)
        return path


@dataclass
class Lab:
    """A running JupyterLab server whose root is `root`, with its settings and its output in `home`."""

    root: Path
    home: Path
    url: str
    token: str

    def open_notebook(self, page: Page, path: str, timeout: float = 60.0, mode: str = "doc") -> Notebook:
        """Open a notebook by its path under the root, and wait until its kernel is idle.

        Mode "doc" has the window to itself; "lab" is all of JupyterLab, as `halab lab` opens it.
        """
        page.goto(f"{self.url}/{mode}/tree/{quote(path)}?token={self.token}&reset")
        return self.current_notebook(page, timeout)

    def forget(self) -> None:
        """End every kernel, and drop what a user set, such as the theme."""
        shutil.rmtree(self.home / "settings", ignore_errors=True)
        with httpx.Client(base_url=self.url, params={"token": self.token}, trust_env=False) as server:
            for session in server.get("/api/sessions").json():
                server.delete(f"/api/sessions/{session['id']}").raise_for_status()

    def current_notebook(self, page: Page, timeout: float = 60.0) -> Notebook:
        """The notebook in front, once its kernel is idle."""
        page.wait_for_selector(f"{IN_FRONT} .jp-Cell", timeout=timeout * 1000)
        page.wait_for_function(
            """() => {
              const kernel = window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel;
              return kernel?.connectionStatus === 'connected' && kernel?.status === 'idle';
            }""",
            timeout=timeout * 1000,
        )
        return Notebook(page)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


Command = Callable[[Path, int], list[str]]
"""The command that serves a folder at a port, without a browser and without a token of its own."""


def learners(root: Path, port: int) -> list[str]:
    """What `halab lab` runs."""
    return lab_command(root, port, browser=False)


def start_lab(root: Path, home: Path, command: Command) -> tuple[Lab, subprocess.Popen[bytes]]:
    """Start a server; `home` takes its configuration, its state and its output."""
    config = home / "config"
    environment = os.environ | {
        "HOME": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_CONFIG_DIR": str(config),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "MPLCONFIGDIR": str(home / "matplotlib"),
    }
    port, token = free_port(), secrets.token_hex(16)
    with (home / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [
                *command(root, port),
                *("--expose-app-in-browser", "--ServerApp.port_retries=0"),
                f"--IdentityProvider.token={token}",
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=root,
        )
    lab = Lab(root, home, f"http://127.0.0.1:{port}", token)
    try:
        wait_until_serving(lab, process, home / "server.log")
    except BaseException:
        stop(process)
        raise
    return lab, process


def wait_until_serving(lab: Lab, process: subprocess.Popen[bytes], log: Path, timeout: float = 60.0) -> None:
    end = time.monotonic() + timeout
    while time.monotonic() < end and process.poll() is None:
        try:
            if httpx.get(f"{lab.url}/api/status?token={lab.token}", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail(f"JupyterLab did not serve (exit status {process.poll()}):\n{log.read_text()[-2000:]}")


def stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def open_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Lab]]:
    """Start a JupyterLab server with the given folder as its root; by default that of `halab lab`.

    Servers end with the module.
    """
    chromium_path()
    started: list[subprocess.Popen[bytes]] = []

    def start(root: Path, command: Command = learners) -> Lab:
        lab, process = start_lab(root, tmp_path_factory.mktemp("jupyter"), command)
        started.append(process)
        return lab

    yield start
    for process in started:
        process.send_signal(signal.SIGTERM)  # all at once: each takes seconds to end its kernels
    for process in started:
        stop(process)


@pytest.fixture
def lab_anew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Path], Lab]]:
    """Start JupyterLab as on another day: the one before it has ended, folders and settings stay."""
    chromium_path()
    home, running = tmp_path_factory.mktemp("jupyter"), list[subprocess.Popen[bytes]]()

    def start(root: Path) -> Lab:
        while running:
            stop(running.pop())
        lab, process = start_lab(root, home, learners)
        running.append(process)
        return lab

    yield start
    while running:
        stop(running.pop())


@pytest.fixture(scope="session")
def shared_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One server for all notebooks that only show a widget."""
    chromium_path()
    root, home = tmp_path_factory.mktemp("notebooks"), tmp_path_factory.mktemp("jupyter")
    lab, process = start_lab(root, home, learners)
    yield lab
    stop(process)


@pytest.fixture(scope="module")
def lab_with(shared_lab: Lab) -> Iterator[Callable[[Mapping[str, Sequence[str]]], Lab]]:
    """Write notebooks of code cells, by name, into the shared server, which forgets with the module."""

    def written(notebooks: Mapping[str, Sequence[str]]) -> Lab:
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        for name, sources in notebooks.items():
            cells = [nbformat.v4.new_code_cell(source) for source in sources]
            notebook = nbformat.v4.new_notebook(cells=cells, metadata=kernel)
            nbformat.write(notebook, shared_lab.root / f"{name}.ipynb")
        return shared_lab

    yield written
    shared_lab.forget()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The system's Chromium, headless. Each module has its own: Playwright keeps an event loop running."""
    path = chromium_path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def chromium_context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport={"width": 1280, "height": 1000})
    yield context
    context.close()


@pytest.fixture
def chromium_page(chromium_context: BrowserContext) -> Iterator[Page]:
    """A page; the test fails if it logs an error or asks anything of a host that is not this machine."""
    traffic = Traffic()
    page = chromium_context.new_page()
    traffic.watch(page)
    yield page
    assert traffic.beyond_loopback() == []
    assert traffic.errors == []


@pytest.fixture
def open_lesson(
    open_lab: Callable[..., Lab],
    chromium_page: Page,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[str], Notebook]:
    """Open a lesson by its slug in JupyterLab, as a learner who has no real cluster: it runs simulated."""

    def opened(slug: str) -> Notebook:
        work = tmp_path_factory.mktemp("work")
        monkeypatch.setenv("HALAB_WORK", str(work))
        monkeypatch.setenv("HALAB_COURSE", str(course_root()))
        monkeypatch.setenv("HALAB_HOME", str(tmp_path_factory.mktemp("clusters")))
        monkeypatch.setenv("HALAB_ENGINE", "simulated")
        monkeypatch.delenv("HALAB_LANG", raising=False)
        shutil.copy(course_root() / "course" / f"{slug}.ipynb", work)
        return open_lab(work).open_notebook(chromium_page, f"{slug}.ipynb", mode="lab")

    return opened
