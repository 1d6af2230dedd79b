"""nbgrader's settings for this course: for `halab build`, `halab grade` and the stock nbgrader commands."""

from pathlib import Path

from nbconvert.preprocessors import ClearMetadataPreprocessor, CSSHTMLHeaderPreprocessor
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    ClearOutput,
    DeduplicateIds,
    GetGrades,
    IgnorePattern,
    LimitOutput,
    OverwriteCells,
    OverwriteKernelspec,
    SaveAutoGrades,
)

from halab.grading.nbgrader_plugins import TEMPLATES, DropForeignMarks, GradeInSandbox, HideHiddenTests

c = get_config()  # noqa: F821 - traitlets defines it
kept = Path(__file__).resolve().parent / ".nbgrader"
kept.mkdir(exist_ok=True)

c.CourseDirectory.course_id = "halab"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "exercises"
c.CourseDirectory.submitted_directory = ".nbgrader/submitted"
c.CourseDirectory.autograded_directory = ".nbgrader/autograded"
c.CourseDirectory.feedback_directory = ".nbgrader/feedback"
c.CourseDirectory.solution_directory = ".nbgrader/solution"
c.CourseDirectory.db_url = f"sqlite:///{kept / 'gradebook.db'}"
# Hints stay beside the exercise's source: a learner gets them one at a time, by `halab hint`.
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "hints.yml"]

c.Autograde.sanitize_preprocessors = [
    DropForeignMarks,
    ClearOutput,
    DeduplicateIds,
    DropForeignMarks,
    OverwriteKernelspec,
    OverwriteCells,
    CheckCellMetadata,
]
c.Autograde.autograde_preprocessors = [
    GradeInSandbox,
    IgnorePattern,
    ClearMetadataPreprocessor,
    LimitOutput,
    SaveAutoGrades,
    AssignLatePenalties,
    CheckCellMetadata,
]
c.GenerateFeedback.preprocessors = [GetGrades, HideHiddenTests, CSSHTMLHeaderPreprocessor]
# What learners wrote is shown in a browser: it can do nothing there, and no other host is asked.
c.HTMLExporter.extra_template_basedirs = list(TEMPLATES)
c.HTMLExporter.sanitize_html = True
c.HTMLExporter.filters = {
    "markdown2html": "halab.grading.shown_prose.markdown_to_html",
    "clean_html": "halab.grading.shown_prose.sanitize_html",
    "strip_files_prefix": "halab.grading.shown_prose.sanitize_html",
}
