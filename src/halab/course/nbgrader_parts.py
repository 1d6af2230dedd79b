"""What the course adds to nbgrader, named in `nbgrader_config.py`; stock nbgrader commands use it too."""

from __future__ import annotations

from typing import Any

from nbgrader import utils
from nbgrader.preprocessors import ClearHiddenTests, Execute

from halab.course.environment import environment

__all__ = ["ExecuteAsLearner", "HideHiddenTests"]


class ExecuteAsLearner(Execute):  # type: ignore[misc]
    """Runs a submission as its learner: the notebook sees HALAB_LEARNER, so the grader's numbers are theirs.

    A warning printed to stderr costs nothing. (nbgrader scores any graded cell with stderr as 0.)
    """

    def preprocess(self, nb: Any, resources: Any, *args: Any, **kwargs: Any) -> Any:
        with environment(HALAB_LEARNER=resources["nbgrader"]["student"]):
            nb, resources = super().preprocess(nb, resources, *args, **kwargs)
        for cell in filter(utils.is_grade, nb.cells):
            cell.outputs = [one for one in cell.get("outputs", []) if one.get("name") != "stderr"]
        return nb, resources


class HideHiddenTests(ClearHiddenTests):  # type: ignore[misc]
    """Takes hidden tests out of the feedback: their source, and the tracebacks that would quote it."""

    def preprocess_cell(self, cell: Any, resources: Any, index: int) -> Any:
        if utils.is_grade(cell) and cell.cell_type == "code":
            self._remove_hidden_test_region(cell)
            for output in cell.outputs:
                if output.output_type == "error":
                    output.traceback = [f"{output.ename}: {output.evalue}"]
        return cell, resources
