"""In CI nothing may be skipped: a test that is never run is not a test."""

import gc
import os
from collections.abc import Generator, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from halab.cluster.haproxy import find_haproxy
from halab.errors import ClusterError

# How long an example takes says something of the machine and who else uses it, and nothing of the code.
hypothesis.settings.register_profile(
    "shared machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("shared machine")

# Where the environment says how wide the terminal is, Rich's consoles would keep that, whatever a test sets.
for name in ("COLUMNS", "LINES"):
    os.environ.pop(name, None)

pytest.register_assert_rewrite("support.answers")
pytest_plugins = ("support.small_course", "support.graded_answers")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is imported stays: looking for garbage in it, now and later, takes each worker a second or two."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


# Files that take minutes: they begin first, so that no worker has one left when the others are done.
LONGEST = (
    "cluster/embedded/test_embedded_cluster.py",
    "cluster/embedded/test_survival.py",
    "protect/drill/test_cutoff_real.py",
    "monitoring/test_monitor_real.py",
    "notebooks/test_failover_timeline.py",
    "notebooks/test_rto_rpo.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.path.as_posix().endswith(LONGEST))


def pytest_xdist_auto_num_workers() -> int:
    """One worker more than cores: some tests only wait."""
    return (os.cpu_count() or 1) + 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if os.environ.get("CI") and (skipped := terminalreporter.stats.get("skipped")):
        terminalreporter.write_sep("!", f"{len(skipped)} skipped: CI must have what they need", red=True)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and exitstatus == 0 and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture
def haproxy() -> str:
    """The path of HAProxy; skips where it is not installed."""
    try:
        return find_haproxy()
    except ClusterError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def real_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where a module's real clusters live. Skips where they cannot run; nothing is left at the end."""
    from halab.cluster.embedded import binaries, embedded_cluster

    if problem := binaries.platform_problem():
        pytest.skip(f"the embedded cluster cannot run here: {problem}")
    home = tmp_path_factory.mktemp("halab")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HALAB_HOME", str(home))
        yield home
        embedded_cluster.down_all()
        assert _left_in(home) == [], "processes outlived the test run"


def _left_in(folder: Path) -> list[Any]:
    """Processes that work in anything below a folder."""
    import psutil

    found = []
    for process in psutil.process_iter(["status"]):
        with suppress(psutil.Error):
            if process.info["status"] != psutil.STATUS_ZOMBIE and process.cwd().startswith(str(folder)):
                found.append(process)
    return found


@pytest.fixture(scope="module")
def small(real_home: Path) -> Iterator[Any]:
    """A real cluster with one process a role."""
    from halab.cluster.embedded import embedded_cluster

    with embedded_cluster.start("lab", "small", 10) as cluster:
        yield cluster


def _run_lesson(
    folder: Path, engine: str, slug: str, cells: Mapping[str, str] | None = None, language: str = "en"
) -> tuple[Any, list[Any]]:
    # Here: most tests run no notebook, and need none of these.
    import nbformat
    from nbclient import NotebookClient

    from halab.course.notebook_translation import translate_notebook
    from halab.course.paths import course_root
    from halab.measure.journal.journal_file import Journal
    from support.notebook_outputs import bare_results, english_sentences

    work = folder / "work"
    work.mkdir()
    lesson = nbformat.read(course_root() / "course" / f"{slug}.ipynb", as_version=4)
    translate_notebook(lesson, f"course/{slug}.ipynb", language)
    for name, source in (cells or {}).items():
        next(cell for cell in lesson.cells if cell.id == name).source = source
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HALAB_WORK", str(work))
        patch.setenv("HALAB_HOME", str(folder / "clusters"))
        patch.setenv("HALAB_ENGINE", engine)
        patch.setenv("HALAB_LANG", language)
        NotebookClient(lesson, timeout=300, resources={"metadata": {"path": str(work)}}).execute()
    nbformat.write(lesson, folder / "executed.ipynb")  # for who looks at it afterwards
    assert bare_results(lesson) == {}, "a learner is shown words, tables and pictures"
    assert language == "en" or english_sentences(lesson) == {}
    found = map(Journal.load, (work / "journals").glob(f"{slug[:2]}-*.jsonl"))
    return lesson, sorted(found, key=lambda journal: journal.header.started)


@pytest.fixture(scope="session")
def run_lesson():
    """Executes a lesson without a front end, in a folder, on an engine: notebook and journals by time.

    `cells` are sources to run in place of a cell's own, by its id: for what a learner may choose, such as how
    often to repeat. In a `language` but English nothing that is shown may be an English sentence.
    """
    return _run_lesson
