"""Sentences from the passages, by a language model of yours that speaks as OpenAI's `/chat/completions` does.

Never needed: without one, or if it does not answer in time, the passages are the answer.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import httpx

from halab.rag.documents import Passage

__all__ = ["LanguageModel"]

_TASK = (
    "Answer the question from the numbered passages only, in the question's language, in at most four "
    "sentences. Name the passages you used by their numbers, such as [1]. If they do not answer it, say so."
)


class LanguageModel:
    """`timeout` is seconds: how long a user waits for sentences when the passages are there already."""

    def __init__(self, url: str, model: str, key: str = "", timeout: float = 20.0) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx.Client(base_url=url, headers=headers, timeout=timeout)
        self._model = model

    @classmethod
    def from_environment(cls) -> LanguageModel | None:
        """The one that HALAB_RAG_MODEL_URL, _MODEL_NAME and _MODEL_KEY name; None without the first."""
        url, name, key = (os.environ.get(f"HALAB_RAG_MODEL_{part}", "") for part in ("URL", "NAME", "KEY"))
        return cls(url, name, key) if url else None

    def answer(self, question: str, passages: Sequence[Passage]) -> str:
        """Sentences with the numbers of their passages; "" if the model gave none."""
        numbered = "\n\n".join(
            f"[{i}] {passage.heading}\n{passage.text}" for i, passage in enumerate(passages, 1)
        )
        messages = [
            {"role": "system", "content": _TASK},
            {"role": "user", "content": f"{numbered}\n\nQuestion: {question}"},
        ]
        try:
            answer = self._client.post("chat/completions", json={"model": self._model, "messages": messages})
            return str(answer.raise_for_status().json()["choices"][0]["message"]["content"] or "")
        except (httpx.HTTPError, KeyError, IndexError, TypeError, ValueError):
            return ""
