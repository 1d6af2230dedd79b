"""Hints in three steps: what is wrong, which card says it, where to look. Each step asked for is counted."""

from __future__ import annotations

import re
from dataclasses import dataclass

import yaml

from halab.course.catalogue import entry
from halab.course.notebook_translation import translated_hint
from halab.course.paths import course_root, state_dir
from halab.course.store import append, read
from halab.errors import CourseError
from halab.grading.grader import check_that_this_seat_grades, last_grade
from halab.translation import gettext, gettext_noop, language

__all__ = ["STEPS", "Hint", "hints_of", "next_hint"]

STEPS = (gettext_noop("What is wrong"), gettext_noop("Which card says it"), gettext_noop("Where to look"))


@dataclass(frozen=True, slots=True)
class Hint:
    """One step of a hint. `number` counts from 1; after the last step it stays the last."""

    topic: str
    number: int
    text: str

    @property
    def step(self) -> str:
        return gettext(STEPS[self.number - 1])


def next_hint(asked: str) -> Hint:
    """The next step of a hint, which is then counted.

    `asked` is a task ("06.2") or a topic ("06.2.jitter"). For a task the topic is that of its first
    check that failed when the exercise was last graded. Raises CourseError if there is no such
    task or topic, or if nothing of the task failed.
    """
    match = re.fullmatch(r"(\d{1,2})\.(\d)(?:\.([a-z-]+))?", asked)
    if not match:
        raise CourseError(
            gettext("A hint is asked for by its task, such as 06.2; {asked!r} is not one.").format(
                asked=asked
            )
        )
    card, task = int(match[1]), f"{int(match[1]):02d}.{match[2]}"
    known = hints_of(card)
    topic = f"{task}.{match[3]}" if match[3] else _topic(card, task, known)
    if topic not in known:
        topics = _topics_of(task, known) or list(known)
        raise CourseError(
            gettext("There is no hint {topic}.").format(topic=topic),
            hint=gettext("There are: {topics}.").format(topics=", ".join(topics)),
        )
    given = sum(record["topic"] == topic for record in read(state_dir() / "hints.jsonl"))
    number = min(given + 1, len(STEPS))
    append(state_dir() / "hints.jsonl", {"topic": topic, "step": number})
    return Hint(topic, number, known[topic][number - 1])


def hints_of(card: int) -> dict[str, list[str]]:
    """Every hint of a card's exercise in the learner's language: its topic and its three steps."""
    check_that_this_seat_grades()
    path = course_root() / "solutions" / entry(card).slug / "hints.yml"
    if not path.is_file():
        raise CourseError(
            gettext("The hints of card {card} should be in {path}, and there is no such file.").format(
                card=card, path=path
            ),
            hint=gettext("Restore the course's files, such as by `git restore solutions`."),
        )
    loaded: dict[str, list[str]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {
        topic: translated_hint(entry(card).exercise, topic, steps, language())
        for topic, steps in loaded.items()
    }


def _topic(card: int, task: str, known: dict[str, list[str]]) -> str:
    """The topic of the task's first failed check, or its first topic before any grading."""
    graded = last_grade(card)
    checks = [check for check in graded["checks"] if check["task"] == task] if graded else []
    failed = [check["hint"] for check in checks if check["hint"]]
    if failed:
        return str(failed[0])
    if checks:
        raise CourseError(
            gettext("Task {task} had all its points when it was last graded.").format(task=task)
        )
    return next(iter(_topics_of(task, known)), task)


def _topics_of(task: str, known: dict[str, list[str]]) -> list[str]:
    return [topic for topic in known if topic.startswith(f"{task}.")]
