"""The sixty questions of tests/rag/questions.yml, and which of them a search answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import yaml

from halab.rag.documents import Passage

QUESTIONS = yaml.safe_load(
    (Path(__file__).parent.parent / "rag" / "questions.yml").read_text(encoding="utf-8")
)


def missed(search: Callable[[str], list[Passage]]) -> dict[str, list[str]]:
    """By language, the questions without a right passage among the first three that `search` gives."""
    return {
        language: [
            each["q"]
            for each in questions
            if not any(_is_right(passage, language, each["right"]) for passage in search(each["q"])[:3])
        ]
        for language, questions in QUESTIONS.items()
    }


def _is_right(passage: Passage, language: str, right: list[str]) -> bool:
    """Whether a passage is of the question's language, and of a card and heading that answer it."""
    folder, file = passage.source.split("/")[-2:]
    return folder == language and f"{file[:2]}#{passage.heading.partition(' > ')[2]}" in right
