"""A knowledge card in the notebook: its page, a language switch, and claims with a verdict to uncover."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import traitlets
from markdown_it import MarkdownIt

from halab.course.cards import Card, card
from halab.translation import (
    NO_TEXT,
    Language,
    LazyText,
    gettext,
    html_lang,
    language_name,
    languages,
    speaking,
)
from halab.widgets.base import CourseWidget, front_end, speech_of

__all__ = ["CardView", "Finding", "RunVerdict", "show_card"]

RunVerdict = Literal["held", "broken", "incomparable", "unproven", ""]


@dataclass(frozen=True, slots=True)
class Finding:
    """What the learner's own run says to a claim.

    `held`: the card's figure was met. `broken`: it was not, by what `by` names ("log lost"). `incomparable`:
    the run and the card speak of different things. `unproven`: the run proves nothing. "": it leaves it open.
    `words` is the result; `measured` and `predicted` are figures in the claim's unit, for the picture.
    """

    verdict: RunVerdict
    words: LazyText
    by: LazyText = NO_TEXT
    measured: tuple[float, ...] = ()
    predicted: tuple[float, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """As the front end takes it, in every language: so its switch waits for no kernel."""
        told = {"words": self.words.in_every_language(), "by": self.by.in_every_language()}
        return {"verdict": self.verdict, "measured": self.measured, "predicted": self.predicted} | told


class CardView(CourseWidget):
    """One card. `lang` follows the switch; `measured` maps a claim's id to a Finding as a dict."""

    _esm, _css = front_end("card_view")

    number = traitlets.Int().tag(sync=True)
    faces = traitlets.Dict().tag(sync=True)
    measured = traitlets.Dict().tag(sync=True)
    after = traitlets.Bool(False).tag(sync=True)

    def text(self) -> str:
        shown = card(self.number, self.lang)
        claims = [f"  {claim.quantity}: {claim.text(self.lang)}" for claim in shown.claims.values()]
        heading = gettext("Claims, to be tested:")
        return "\n".join([shown.title, "", shown.body, heading, *claims])


def show_card(number: int, measured: Mapping[str, Finding] | None = None) -> CardView:
    """Show a card (1 to 10). A claim's verdict stays covered until it is pressed, or stands in `measured`.

    `measured` maps a claim's id to what a run says to it; each lesson's `results` makes it. A claim that the
    lesson tests and that is not in it is "not tested by you yet".
    Raises CourseError if the card is not in the course yet, or has no such claim.
    """
    english = card(number, "en")
    results = {name: result.as_dict() for name, result in (measured or {}).items()}
    for name in results:
        english.claim(name)
    faces = {lang: _face(card(number, lang), lang) for lang in languages()}
    return CardView(number=number, faces=faces, measured=results, after=measured is not None)


def _face(shown: Card, language: Language) -> dict[str, Any]:
    """A card for who reads a language, with what the front end says around it: so its switch waits for no
    kernel."""
    with speaking(language):
        speech = speech_of(CardView._esm)
    return {
        "name": language_name(language),
        "html_lang": html_lang(language),
        "speech": speech,
        "title": shown.title,
        "html": MarkdownIt("commonmark", {"html": False}).enable("table").render(shown.body),
        "claims": [
            {
                "id": claim.id,
                "quantity": claim.quantity,
                "figure": claim.text(language),
                "verdict": claim.verdict,
                "tested": claim.tested,
                "low": claim.low,
                "high": claim.high,
                "unit": claim.unit_text(language),
                "seconds": claim.seconds,
                "leaves_out": claim.leaves_out,
                "sources": [shown.references[name].model_dump() for name in claim.sources],
            }
            for claim in shown.claims.values()
        ],
    }
