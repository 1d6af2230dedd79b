"""What the course adds to nbgrader, named in `nbgrader_config.py`; stock nbgrader commands use it too."""

from __future__ import annotations

import atexit
import contextlib
import re
from pathlib import Path
from typing import Any

import nbformat
import nbgrader
from nbgrader import utils
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import ClearHiddenTests, NbGraderPreprocessor
from traitlets import Any as Anything
from traitlets import Float

from halab.errors import CourseError
from halab.grading.environment_variables import temporary_environment
from halab.grading.judge import Judge, imported_modules
from halab.grading.sandbox.box import Box, CellTimeout, LearnerError, ProcessExited, Sandbox
from halab.grading.sandbox.time_limit import TimeLimit
from halab.grading.sandbox.turns import alone, beside_others
from halab.grading.verdicts import CellError, Verdict
from halab.translation import gettext

__all__ = ["TEMPLATES", "DropForeignMarks", "GradeInSandbox", "HideHiddenTests", "sandbox"]

TEMPLATES = (
    str(Path(__file__).with_name("nbgrader_templates")),
    str(Path(nbgrader.__file__).parent / "server_extensions" / "formgrader" / "templates"),
)
"""Where feedback and formgrader find parts of their pages: the course's, which replace some, come first."""

_SCHEMA = 3  # of the marks that nbgrader 0.9 writes

_sandbox = Sandbox()
atexit.register(_sandbox.close)


def sandbox() -> Sandbox:
    """The sandbox of this process: one host serves every submission graded in it."""
    return _sandbox


class GradeInSandbox(NbGraderPreprocessor):  # type: ignore[misc]
    """Takes the place of nbgrader's `Execute`: a learner's cells run in a sandbox, graded cells outside it.

    nbgrader's way, with everything in one kernel, leaves the tests to the mercy of what they test: they can
    be read, and redefined. Here a graded cell ends with an error or without output, which decides its points.
    What a learner's cell leaves after the first test could tell what hidden tests asked with: such cells are
    run once more where no test ever is, and what they leave there is what is shown.

    A grade depends on the work and not on the machine: a notebook that ran out of time while cores were short
    is run once more, with nothing else graded beside it. Raises CourseError if it is undecided even then.
    """

    timeout = Float(10.0, help="Seconds of its own (see TimeLimit) a cell may run.").tag(config=True)
    total_timeout = Float(60.0, help="Seconds of their own all cells together may run.").tag(config=True)
    on_cell = Anything(
        None, allow_none=True, help="Called with (number, of how many) as each cell starts."
    ).tag(config=True)
    on_undecided = Anything(
        None, allow_none=True, help="Called with the sentence that says why there is no grade."
    ).tag(config=True)

    def preprocess(self, nb: Any, resources: Any) -> Any:
        with beside_others():
            run = self._run(nb, resources["nbgrader"])
        if run.doubtful:
            with alone():
                run = self._run(nb, resources["nbgrader"])
        if run.undecided:
            if self.on_undecided:
                self.on_undecided(run.undecided)
            raise CourseError(run.undecided)
        return nb, resources

    def _run(self, nb: Any, names: Any) -> _NotebookRun:
        """Run and judge every cell of a submission; what they gave goes into the notebook."""
        source = self._source(names["assignment"], names["notebook"])
        with (
            temporary_environment(HALAB_LEARNER=names["student"]),
            _sandbox.box(names["student"], imported_modules(source)) as box,
        ):
            run = _NotebookRun(box, Judge(source, box), self.timeout, self.total_timeout)
            for index, cell in enumerate(nb.cells):
                if self.on_cell:
                    self.on_cell(index + 1, len(nb.cells))
                cell.pop("attachments", None)  # as metadata of outputs: a learner's, and templates trust it
                cell.metadata = {key: cell.metadata[key] for key in ("nbgrader",) if key in cell.metadata}
                if cell.cell_type == "code":
                    cell.execution_count = None
                    cell.outputs = run.outputs(cell, index + 1)
        if run.may_tell:
            self._show_untested(nb, names, source, run)
        return run

    def _show_untested(self, nb: Any, names: Any, source: Any, tested: _NotebookRun) -> None:
        """Show what the cells that may tell what tests asked leave in a process without tests."""
        with (
            temporary_environment(HALAB_LEARNER=names["student"]),
            _sandbox.box(names["student"], imported_modules(source)) as box,
        ):
            run = _NotebookRun(box, Judge(source, box), self.timeout, self.total_timeout)
            for number, cell in enumerate(nb.cells[: max(tested.may_tell)], start=1):
                if cell.cell_type == "code" and not run.judges(cell):
                    outputs = run.outputs(cell, number)
                    if number in tested.may_tell:
                        cell.outputs = outputs
        for number, cause in tested.causes.items():
            if cause in tested.may_tell and cause in run.errors:
                nb.cells[number - 1].outputs = [_error_output(run.errors[cause])]

    def _source(self, assignment: str, notebook: str) -> Any:
        """The course's own notebook: what is in the submission's cells proves nothing."""
        folder = CourseDirectory(config=self.config)
        path = folder.format_path(folder.source_directory, ".", assignment)
        return nbformat.read(f"{path}/{notebook}.ipynb", as_version=4)


_SAID_BY_GRADER = (Verdict.CELL_TIMEOUT, Verdict.PROCESS_EXITED)
_MAX_OUTPUT_CHARACTERS = 5_000_000  # characters of a whole notebook's outputs that are kept


class _NotebookRun:
    """One submission under way. `timeout` is seconds a cell, `left` seconds all together: see TimeLimit.

    `doubtful` is whether the machine may be to blame for what was lost, `undecided` says why that cannot be
    told, or is empty. `may_tell` are the numbers of the learner's cells that left something after the first
    test: it may tell what that asked with. `causes` has for a graded cell that found no answer the cell that
    should have defined it, and `errors` what the learner's cells ended with, by number.
    """

    def __init__(self, box: Box, judge: Judge, timeout: float, left: float) -> None:
        self._box, self._judge, self._timeout, self._left = box, judge, timeout, left
        self._exit_reason = ""
        self._stopped: dict[str, int] = {}  # by name: the cell that should define it, and ended with an error
        self._characters_left = _MAX_OUTPUT_CHARACTERS
        self.doubtful, self.undecided = False, ""
        self._tested = False
        self.may_tell: set[int] = set()
        self.causes: dict[int, int] = {}
        self.errors: dict[int, CellError] = {}

    def judges(self, cell: Any) -> bool:
        """Whether this cell is one to be judged, and not to be run."""
        return self._judge.judges(cell)

    def outputs(self, cell: Any, number: int) -> list[Any]:
        """Run or judge this cell, the notebook's `number`th."""
        outputs, error = self._outputs(cell)
        if self._judge.judges(cell):
            self._tested = True
            error = self._first_cause(error, number)
        else:
            if self._tested and (outputs or (error and error.verdict not in _SAID_BY_GRADER)):
                self.may_tell.add(number)
                error = error and CellError(error.kind, gettext("in its own cell"))
            if error:
                self.errors[number] = error
                self._stopped |= dict.fromkeys(self._judge.names(cell), number)
        if error and error.verdict is Verdict.PROCESS_EXITED:
            # Every later cell ends so too: they all say which one it was.
            self._exit_reason = self._exit_reason or gettext(
                "In cell {number} of the notebook {text}; nothing after it could run."
            ).format(number=number, text=error.text)
            error = CellError(Verdict.PROCESS_EXITED, self._exit_reason)
        return [*outputs, *([_error_output(error)] if error else [])]

    def _first_cause(self, error: CellError | None, number: int) -> CellError | None:
        """What a check ended with; of a name that is not defined, what its cell ended with."""
        if error and error.verdict is Verdict.UNDEFINED_NAME:
            missing = re.search(r"name '(\w+)' is not defined", error.text)
            if not missing or missing[1] not in self._stopped:
                return error
            self.causes[number] = self._stopped[missing[1]]
            cause = self.errors[self.causes[number]]
            # Of the answer's cell, which is told by itself: this one was not stopped.
            return (
                CellError(cause.kind, gettext("in its own cell"))
                if cause.verdict is Verdict.CELL_TIMEOUT
                else cause
            )
        return error

    def _outputs(self, cell: Any) -> tuple[list[Any], CellError | None]:
        if self._left <= 0:
            return [], CellError(Verdict.PROCESS_EXITED, gettext("the time for all cells together was up"))
        try:
            limit = self._box.limit(min(self._timeout, self._left))
        except ProcessExited as exited:
            return [], CellError(Verdict.PROCESS_EXITED, str(exited))
        try:
            if self._judge.judges(cell):
                return [], self._judge.verdict(cell, limit)
            return self._run_cell(cell, limit)
        finally:
            with contextlib.suppress(TimeoutError, ProcessExited):
                limit.look()
            self._left -= limit.used
            self._doubt(limit)

    def _doubt(self, limit: TimeLimit) -> None:
        """Note whether the machine may have had a part in how a cell ended."""
        if limit.ran_out_on_a_busy_machine:
            self.doubtful = True
            if not limit.computed_too_long:
                self.undecided = gettext(
                    "a cell ran out of time while this machine was busy; its code waited {waited:.0f} s "
                    "for a core"
                ).format(waited=limit.waited)
        if self._box.lost:
            self.doubtful, self.undecided = True, gettext("its sandbox was lost on this machine")

    def _run_cell(self, cell: Any, limit: TimeLimit) -> tuple[list[Any], CellError | None]:
        try:
            outputs, error = self._box.run(cell.source, limit)
        except CellTimeout:
            return [], CellError(Verdict.CELL_TIMEOUT)
        except ProcessExited as exited:
            return [], CellError(Verdict.PROCESS_EXITED, str(exited))
        except LearnerError as raised:
            return [], CellError.by_learner(raised.kind, raised.text)
        self._characters_left -= sum(len(str(output)) for output in outputs)
        if outputs and self._characters_left < 0:
            outputs = [
                nbformat.v4.new_output("stream", text=gettext("[left out: all outputs are too much]\n"))
            ]
        return outputs, CellError.by_learner(*error) if error else None


def _error_output(error: CellError) -> Any:
    """An error output without a traceback, which would quote a test that may be hidden."""
    return nbformat.v4.new_output(
        "error", ename=str(error.kind), evalue=error.text, traceback=[error.in_notebook()]
    )


class DropForeignMarks(NbGraderPreprocessor):  # type: ignore[misc]
    """Takes nbgrader's marks off cells that have them in another form than today's, such as one pasted from
    an old course, or one that nbgrader found there twice: else autograde ends there, for the whole class.
    """

    def preprocess_cell(self, cell: Any, resources: Any, index: int) -> Any:
        mark = cell.metadata.get("nbgrader")
        if mark is not None and not (isinstance(mark, dict) and mark.get("schema_version") == _SCHEMA):
            del cell.metadata["nbgrader"]
        return cell, resources


class HideHiddenTests(ClearHiddenTests):  # type: ignore[misc]
    """Takes hidden tests out of the feedback: their source, and the tracebacks that would quote it."""

    def preprocess_cell(self, cell: Any, resources: Any, index: int) -> Any:
        if utils.is_grade(cell) and cell.cell_type == "code":
            self._remove_hidden_test_region(cell)
            for output in cell.outputs:
                if output.output_type == "error":
                    output.traceback = [CellError(output.ename, output.evalue).in_notebook()]
        return cell, resources
