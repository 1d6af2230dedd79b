"""A knowledge card in the notebook: its page, a language switch, and claims with a verdict to uncover."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import traitlets
from markdown_it import MarkdownIt

from halab.course.cards import Card, card
from halab.course.catalogue import Language, language
from halab.widgets.base import CourseWidget, front_end

__all__ = ["CardView", "show_card"]

_LANGUAGES: tuple[Language, ...] = ("en", "zh")


class CardView(CourseWidget):
    """One card. `lang` follows the switch; `measured` maps a claim's id to what was measured, in words."""

    _esm, _css = front_end("card_view")

    number = traitlets.Int().tag(sync=True)
    faces = traitlets.Dict().tag(sync=True)
    lang = traitlets.Enum(_LANGUAGES, "en").tag(sync=True)
    measured = traitlets.Dict().tag(sync=True)

    def text(self) -> str:
        shown = card(self.number, self.lang)
        claims = [f"  {claim.quantity}: {claim.text(self.lang)}" for claim in shown.claims.values()]
        heading = "声明，待检验：" if self.lang == "zh" else "Claims, to be tested:"
        return "\n".join([shown.title, "", shown.body, heading, *claims])


def show_card(number: int, measured: Mapping[str, str] | None = None) -> CardView:
    """Show a card (1 to 10). A claim's verdict stays covered until it is pressed, or stands in `measured`.

    `measured` maps a claim's id to the result of a run in words, such as {"failed-requests": "148 requests"};
    `halab.lessons.failover_timeline.results` makes them.
    Raises CourseError if the card is not in the course yet, or has no such claim.
    """
    english = card(number, "en")
    results = dict(measured or {})
    for name in results:
        english.claim(name)
    faces = {lang: _face(card(number, lang)) for lang in _LANGUAGES}
    return CardView(number=number, faces=faces, lang=language(), measured=results)


def _face(shown: Card) -> dict[str, Any]:
    return {
        "title": shown.title,
        "html": MarkdownIt("commonmark", {"html": False}).enable("table").render(shown.body),
        "claims": [
            {
                "id": claim.id,
                "quantity": claim.quantity,
                "figure": claim.text(shown.language),
                "verdict": claim.verdict,
                "leaves_out": claim.leaves_out,
                "sources": [shown.references[name].model_dump() for name in claim.sources],
            }
            for claim in shown.claims.values()
        ],
    }
