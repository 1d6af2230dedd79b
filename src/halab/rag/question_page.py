"""The service over HTTP, on loopback: a page for people, JSON for programs, readiness and metrics.

/?q=…       the page, in the browser's language
/ask?q=…    JSON: passages, degraded, seconds; status 503 if there is no answer of any kind
/ready      200 if a known question finds its passage in the cluster, else 503 and why
/metrics    for Prometheus
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from string import Template
from urllib.parse import parse_qs, urlsplit

from markdown_it import MarkdownIt
from prometheus_client import generate_latest

from halab.errors import RagError
from halab.loopback_server import LoopbackHandler, serve_on_loopback
from halab.rag.documents import Passage
from halab.rag.language_model import LanguageModel
from halab.rag.question_service import Answer, QuestionService

__all__ = ["serve_questions"]

_LONGEST_QUESTION = 1000
_PAGE = Template(Path(__file__).with_suffix(".html").read_text(encoding="utf-8"))
_TEXTS = {
    "en": {
        "title": "Ask the documents",
        "question": "Your question",
        "ask": "Ask",
        "degraded": "Degraded answer:",
        "standby": "from the standby cluster, so it may be older.",
        "memory": "the last good answer to this question.",
        "keywords": "found by keywords beside the service, since no cluster answered.",
        "unanswered": "No answer:",
        "why": "What the clusters said",
    },
    "zh": {
        "title": "向文档提问",
        "question": "你的问题",
        "ask": "提问",
        "degraded": "降级的回答：",
        "standby": "来自灾备集群，内容可能不是最新的。",
        "memory": "这个问题上一次的正常回答。",
        "keywords": "集群都没有回应，只在本地按关键词找到的。",
        "unanswered": "没有回答：",
        "why": "集群给出的原因",
    },
}


@contextmanager
def serve_questions(
    service: QuestionService, port: int = 0, model: LanguageModel | None = None
) -> Iterator[str]:
    """Serve a question service on loopback while the block runs; its address is yielded.

    With port 0 the system chooses one. Raises OSError if the port is taken.
    """

    class Handler(LoopbackHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            question = parse_qs(url.query).get("q", [""])[0].strip()[:_LONGEST_QUESTION]
            if url.path == "/":
                self.answer(200, "text/html", self._page(question))
            elif url.path == "/ask" and question:
                self.answer(*_as_json(service, model, question))
            elif url.path == "/ready":
                lack = service.ready()
                self.answer(503 if lack else 200, "text/plain", lack or "ready")
            elif url.path == "/metrics":
                self.answer(200, "text/plain", generate_latest(service.registry).decode())
            else:
                self.answer(404, "text/plain", "ask at /ask?q=…, or open /")

        def _page(self, question: str) -> str:
            wanted = self.headers.get("Accept-Language", "").lower()
            language = "zh" if wanted.startswith("zh") else "en"
            below = _below(service, model, question, language) if question else ""
            return _PAGE.substitute(
                _TEXTS[language], language=language, asked=html.escape(question), below=below
            )

    with serve_on_loopback(Handler, port) as address:
        yield address


def _as_json(service: QuestionService, model: LanguageModel | None, question: str) -> tuple[int, str, str]:
    try:
        answer = service.ask(question)
    except RagError as error:
        return 503, "application/json", json.dumps({"error": error.message})
    body = asdict(answer) | {"text": _sentences(model, question, answer)}
    return 200, "application/json", json.dumps(body, ensure_ascii=False)


def _sentences(model: LanguageModel | None, question: str, answer: Answer) -> str:
    return model.answer(question, answer.passages) if model and answer.passages else ""


def _markup(passage: Passage) -> str:
    """A passage's text as HTML. Markdown is laid out; its own HTML and its images are not let through."""
    if passage.source.lower().endswith(".md"):
        return str(MarkdownIt("js-default").disable("image").render(passage.text))
    return f"<pre>{html.escape(passage.text)}</pre>"


def _below(service: QuestionService, model: LanguageModel | None, question: str, language: str) -> str:
    """What stands below the form: the answer, what it lacks, and its passages with their sources."""
    texts = _TEXTS[language]
    try:
        answer = service.ask(question)
    except RagError as error:
        return f'<p role="alert"><strong>{texts["unanswered"]}</strong> {html.escape(error.message)}</p>'
    said = ""
    if answer.degraded:
        how, why = texts[answer.degraded], html.escape(answer.why)
        said = f'<p role="status"><strong>{texts["degraded"]}</strong> {how}</p>'
        said += f"<details><summary>{texts['why']}</summary>{why}</details>"
    if sentences := _sentences(model, question, answer):
        said += f"<p>{html.escape(sentences)}</p>"
    return said + "".join(
        f"<article><h2>{number}. {html.escape(passage.heading)}</h2>{_markup(passage)}"
        f"<cite>{html.escape(passage.source)}</cite></article>"
        for number, passage in enumerate(answer.passages, 1)
    )
