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

from babel.core import negotiate_locale
from markdown_it import MarkdownIt
from prometheus_client import generate_latest

from halab.errors import RagError
from halab.loopback_server import LoopbackHandler, serve_on_loopback
from halab.rag.documents import Passage
from halab.rag.language_model import LanguageModel
from halab.rag.question_service import Answer, QuestionService
from halab.translation import Language, gettext_lazy, html_lang, languages, speaking

__all__ = ["serve_questions"]

_LONGEST_QUESTION = 1000
_PAGE = Template(Path(__file__).with_suffix(".html").read_text(encoding="utf-8"))
_TEXTS = {
    "title": gettext_lazy("Ask the documents"),
    "question": gettext_lazy("Your question"),
    "ask": gettext_lazy("Ask"),
    "degraded": gettext_lazy("Degraded answer:"),
    "standby": gettext_lazy("from the standby cluster, so it may be older."),
    "memory": gettext_lazy("the last good answer to this question."),
    "keywords": gettext_lazy("found by keywords beside the service, since no cluster answered."),
    "unanswered": gettext_lazy("No answer:"),
    "why": gettext_lazy("What the clusters said"),
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
            spoken = _negotiated(self.headers.get("Accept-Language", ""))
            with speaking(spoken):
                below = _below(service, model, question) if question else ""
                return _PAGE.substitute(
                    _TEXTS, language=html_lang(spoken), asked=html.escape(question), below=below
                )

    with serve_on_loopback(Handler, port) as address:
        yield address


def _negotiated(wanted: str) -> Language:
    """The first language of an Accept-Language header, as "zh-CN,zh;q=0.9", that the course speaks."""
    asked = [part.partition(";")[0].strip() for part in wanted.split(",")]
    return negotiate_locale(asked, languages(), sep="-") or "en"


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


def _below(service: QuestionService, model: LanguageModel | None, question: str) -> str:
    """What stands below the form: the answer, what it lacks, and its passages with their sources."""
    try:
        answer = service.ask(question)
    except RagError as error:
        return f'<p role="alert"><strong>{_TEXTS["unanswered"]}</strong> {html.escape(error.message)}</p>'
    page = ""
    if answer.degraded:
        how, why = _TEXTS[answer.degraded], html.escape(answer.why)
        page = f'<p role="status"><strong>{_TEXTS["degraded"]}</strong> {how}</p>'
        page += f"<details><summary>{_TEXTS['why']}</summary>{why}</details>"
    if sentences := _sentences(model, question, answer):
        page += f"<p>{html.escape(sentences)}</p>"
    return page + "".join(
        f"<article><h2>{number}. {html.escape(passage.heading)}</h2>{_markup(passage)}"
        f"<cite>{html.escape(passage.source)}</cite></article>"
        for number, passage in enumerate(answer.passages, 1)
    )
