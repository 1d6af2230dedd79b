"""Every error a user of halab may see.

    HalabError
    |- ClusterError              something about a cluster
    |  |- UnsupportedPlatform    the embedded engine has no binaries for this machine
    |  |- NotReady               what was awaited did not come in time
    |  |- ClusterNotFound        no cluster of that name is running
    |  |- ClusterExists          a cluster of that name is already there, with other settings
    |  |- TargetError            a fault's target is absent or ambiguous
    |  `- FaultError             a fault could not be injected or undone
    |- MeasurementError          a measurement cannot be made or trusted
    |  `- JournalError           a journal is damaged, altered or of another version
    |- BackupError               a backup cannot be made, trusted or restored
    |- DrillError                a step of a drill must not be begun, or did not do what it should
    |- RagError                  documents cannot be taken in, or a question got no answer
    `- CourseError               cards, lessons, exercises, grading
       `- SubmissionError        a learner's notebook cannot be graded as it is

A message says what was expected, what was found, and what to do next: the last as `hint`.
"""

from __future__ import annotations

__all__ = [
    "BackupError",
    "ClusterError",
    "ClusterExists",
    "ClusterNotFound",
    "CourseError",
    "DrillError",
    "FaultError",
    "HalabError",
    "JournalError",
    "MeasurementError",
    "NotReady",
    "RagError",
    "SubmissionError",
    "TargetError",
    "UnsupportedPlatform",
]


class HalabError(Exception):
    """The root of halab's errors; `hint` says what to do next (may be empty)."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        if not self.hint:
            return self.message
        from halab.translation import gettext  # here: translation raises one of these errors itself

        try:
            hint = gettext("Hint: {hint}")
        except CourseError:  # there is no such language, as this error may say
            hint = "Hint: {hint}"
        return f"{self.message}\n{hint.format(hint=self.hint)}"

    def _render_traceback_(self) -> list[str]:
        """What IPython prints in a notebook: the message, not the forty lines of halab that led to it.

        `%tb` prints this too; `%debug` still goes where it happened.
        """
        return [f"{type(self).__name__}: {self}"]


class ClusterError(HalabError):
    """Something about a cluster."""


class UnsupportedPlatform(ClusterError):
    """The embedded engine has no binaries for this machine."""


class NotReady(ClusterError):
    """What was awaited did not come in time."""


class ClusterNotFound(ClusterError):
    """No cluster of that name is running."""


class ClusterExists(ClusterError):
    """A cluster of that name is already there, with other settings."""


class TargetError(ClusterError):
    """A fault's target is absent or ambiguous."""


class FaultError(ClusterError):
    """A fault could not be injected or undone."""


class MeasurementError(HalabError):
    """A measurement cannot be made or trusted."""


class JournalError(MeasurementError):
    """A journal is damaged, altered or of another version."""


class BackupError(HalabError):
    """A backup cannot be made, trusted or restored."""


class DrillError(HalabError):
    """A step of a drill must not be begun, or did not do what it should."""


class RagError(HalabError):
    """Documents cannot be taken in, or a question got no answer."""


class CourseError(HalabError):
    """Something about cards, lessons, exercises or grading."""


class SubmissionError(CourseError):
    """A learner's notebook cannot be graded as it is."""
