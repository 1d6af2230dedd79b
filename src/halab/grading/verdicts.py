"""What a cell of a submission ended with, and the sentence its learner reads.

nbgrader hands a notebook from step to step, so a verdict travels in it: as an error output of its cell, with
the kind as `ename` and the text as `evalue`. The judge makes it; where it is, nbgrader gives no points; and
the report to the learner is made from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from halab.exercises.expectations import CheckFailed, explain, hint_in, why_not
from halab.translation import gettext

__all__ = ["CellError", "Verdict"]


class Verdict(StrEnum):
    """Why a cell has failed. A value is the error's kind (`ename`) in the graded notebook.

    A cell that passed has no error and therefore no verdict.
    """

    CHECK_FAILED = CheckFailed.__name__
    """The learner's code ran, and did not do what the check expects."""
    UNANSWERED = NotImplementedError.__name__
    """The answer still is what was handed out."""
    UNDEFINED_NAME = NameError.__name__
    """No cell defines what the check needs: the answer's cell is empty, or stopped before it."""
    CELL_TIMEOUT = "CellTimeoutError"  # as nbclient calls it
    """The code was still running when its time was up. It was interrupted; later cells ran."""
    PROCESS_EXITED = "ProcessExited"
    """The learner's process ended itself, or was killed for going past a limit. No later cell ran."""
    LEARNER_ERROR = "error"
    """The code raised an error of any other kind."""

    @classmethod
    def _missing_(cls, value: object) -> Verdict:
        return cls.LEARNER_ERROR


# A learner's code may raise errors by these names too; only the grader may say these things.
_GRADERS_OWN = (Verdict.CHECK_FAILED, Verdict.CELL_TIMEOUT, Verdict.PROCESS_EXITED)


@dataclass(frozen=True, slots=True)
class CellError:
    """The error a cell ended with: its kind, such as "ZeroDivisionError", and its text."""

    kind: str
    text: str = ""

    @classmethod
    def by_learner(cls, kind: str, text: str) -> CellError:
        """An error that a learner's code raised, marked if it goes by the name of a verdict of the grader."""
        return cls(
            gettext("{kind} (of yours)").format(kind=kind) if Verdict(kind) in _GRADERS_OWN else kind, text
        )

    @property
    def verdict(self) -> Verdict:
        return Verdict(self.kind)

    @property
    def hint(self) -> str:
        """The id of the hint that a failed check names, such as "06.1.blips", or ""."""
        return hint_in(self.text) if self.verdict is Verdict.CHECK_FAILED else ""

    def in_notebook(self) -> str:
        """What stands below the cell. It quotes no code: a test may be hidden."""
        if self.verdict is Verdict.CHECK_FAILED:
            return why_not(self.text)
        return f"{self.kind}: {self.text}" if self.text else self.kind

    def in_report(self) -> str:
        """One sentence for the learner about a graded cell."""
        match self.verdict:
            case Verdict.CELL_TIMEOUT:
                return gettext("Your code was still running when its time was up.")
            case Verdict.PROCESS_EXITED:
                return self.text
            case _:
                return explain(self.kind, self.text)
