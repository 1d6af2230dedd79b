"""The knowledge cards: a page of prose and, as data, the claims that its lesson puts to the test.

A card is a Markdown file with YAML front matter, `cards/<language>/<slug>.md`; the model below is its form.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from halab.course.catalogue import entry
from halab.errors import CourseError
from halab.translation import Language, gettext, language, npgettext, pgettext, speaking

__all__ = ["Card", "Claim", "Reference", "Verdict", "card", "read_card"]

Verdict = Literal["true", "simplified", "outdated", "wrong", "given"]

_UNITS: dict[str, Callable[[int], str]] = {
    "s": lambda n: pgettext("unit", "s"),
    "heartbeats": lambda n: npgettext("unit", "heartbeat", "heartbeats", n),
    "requests": lambda n: npgettext("unit", "request", "requests", n),
    "queries": lambda n: npgettext("unit", "query", "queries", n),
    "queries/s": lambda n: pgettext("unit", "a second"),
    "copies": lambda n: npgettext("unit", "copy", "copies", n),
    "rows": lambda n: npgettext("unit", "row", "rows", n),
    "parts": lambda n: npgettext("unit", "part", "parts", n),
    "probes": lambda n: npgettext("unit", "probe", "probes", n),
    "steps": lambda n: npgettext("unit", "step", "steps", n),
    "months": lambda n: npgettext("unit", "month", "months", n),
    "%": lambda n: "%",
    "min": lambda n: pgettext("unit", "min"),
    "h": lambda n: pgettext("unit", "h"),
    "d": lambda n: pgettext("unit", "d"),
}
"""The units' names, for so many."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Reference(_Strict):
    """Where something can be read."""

    title: str
    url: str = Field(pattern=r"^https://")


class Claim(_Strict):
    """One figure a card states, and what is known about it.

    Exactly one of `value`, `range` (both ends included) and `below` (less than) holds the figure, in `unit`
    ("s" is seconds). `verdict` judges it against Milvus as it is: "wrong" is not so in Milvus, "given" is an
    example's setting, which claims nothing. `tested` says whether the lesson measures it; `leaves_out` says
    what the card does not.
    """

    id: str = Field(pattern=r"^[a-z]+(-[a-z]+)*$")
    quantity: str
    value: float | None = None
    range: tuple[float, float] | None = None
    below: float | None = None
    unit: Literal[
        "s", "min", "h", "d", "months", "%",
        "heartbeats", "requests", "queries", "queries/s", "copies", "rows", "parts", "probes", "steps",
    ]  # fmt: skip
    source: Literal["card"]
    verdict: Verdict
    tested: bool = False
    leaves_out: str
    sources: tuple[str, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_figure(self) -> Self:
        if sum(figure is not None for figure in (self.value, self.range, self.below)) != 1:
            raise ValueError(gettext("a claim has exactly one of value, range and below"))
        if self.range is not None and self.range[0] >= self.range[1]:
            raise ValueError(
                gettext("a range goes from low to high, but this is {list}").format(list=list(self.range))
            )
        return self

    @property
    def low(self) -> float:
        """The least the card allows, in `unit`; 0 where it only states an upper bound."""
        return self.range[0] if self.range else (self.value or 0.0)

    @property
    def high(self) -> float:
        """The most the card allows, in `unit`."""
        if self.range:
            return self.range[1]
        return self.below if self.below is not None else (self.value or 0.0)

    @property
    def seconds(self) -> float | None:
        """How many seconds the unit is, if it is one of time and not of the calendar."""
        return {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}.get(self.unit)

    def unit_text(self, language: Language = "en") -> str:
        """The unit in words, such as "requests"."""
        with speaking(language):
            return _UNITS[self.unit](_counted(self.high))

    def text(self, language: Language = "en") -> str:
        """The figure in words, such as "5-10 requests" or "under 15 s"."""
        unit = self.unit_text(language)
        with speaking(language):
            if self.range:
                return gettext("{low:g}–{high:g} {unit}").format(low=self.low, high=self.high, unit=unit)
            if self.below is not None:
                return gettext("under {below:g} {unit}").format(below=self.below, unit=unit)
            return gettext("{number:g} {unit}").format(number=self.value, unit=unit)


def _counted(figure: float) -> int:
    """The number that a unit's form follows; half of one is said like many."""
    return int(figure) if figure == int(figure) else 2


class Card(_Strict):
    """One knowledge card in one language; `body` is its prose in Markdown."""

    number: int = Field(alias="card", ge=1, le=10)
    slug: str
    language: Language
    title: str
    summary: str
    claims: dict[str, Claim]
    references: dict[str, Reference]
    body: str

    @model_validator(mode="before")
    @classmethod
    def _claims_by_id(cls, data: dict[str, Any]) -> dict[str, Any]:
        claims = data.get("claims")
        if not isinstance(claims, list):
            return data
        ids = [claim.get("id") for claim in claims if isinstance(claim, dict)]
        twice = sorted({str(name) for name in ids if ids.count(name) > 1})
        if twice:
            raise ValueError(
                gettext("claim ids are unique, but there are two of {twice}").format(twice=", ".join(twice))
            )
        return {**data, "claims": dict(zip(ids, claims, strict=False))}

    @model_validator(mode="after")
    def _sources_exist(self) -> Self:
        for claim in self.claims.values():
            absent = [name for name in claim.sources if name not in self.references]
            if absent:
                raise ValueError(
                    gettext("claim {id} cites {absent}, which references does not list").format(
                        id=claim.id, absent=", ".join(absent)
                    )
                )
        return self

    def claim(self, name: str) -> Claim:
        """One claim by its id. Raises CourseError with the ids there are."""
        if name in self.claims:
            return self.claims[name]
        raise CourseError(
            gettext("Card {number} makes no claim called {name!r}.").format(number=self.number, name=name),
            hint=gettext("Its claims are {claims}.").format(claims=", ".join(self.claims)),
        )


def card(number: int, lang: Language | None = None) -> Card:
    """Card `number` (1 to 10) in `lang`, or in the learner's language; in English where it is not translated.

    Raises CourseError for another number, for a file that is missing, and with file and line for one that is
    not a card.
    """
    which = entry(number)
    chosen = lang or language()
    path = which.card_path(chosen)
    if chosen != "en" and not path.is_file():
        return card(number, "en")
    if not path.is_file():
        raise CourseError(
            gettext("Card {number} should be in {path}, and there is no such file.").format(
                number=number, path=path
            ),
            hint=gettext("Restore the course's files, such as by `git restore cards`."),
        )
    loaded = read_card(path)
    if (loaded.number, loaded.slug, loaded.language) != (number, which.slug, chosen):
        raise CourseError(
            gettext(
                "{path} should be card {number}, {slug}, in {chosen}; it says it is card {other_number}, "
                "{other_slug}, in {language}."
            ).format(
                path=path,
                number=number,
                slug=which.slug,
                chosen=chosen,
                other_number=loaded.number,
                other_slug=loaded.slug,
                language=loaded.language,
            ),
            hint=gettext("Correct card, slug and language at the top of the file."),
        )
    return loaded


def read_card(path: Path) -> Card:
    """Read one card's file. Raises CourseError with file and line if it is not a card."""
    lines = path.read_text(encoding="utf-8").splitlines()
    end = next((i for i, line in enumerate(lines[1:], 1) if line == "---"), 0)
    if not lines or lines[0] != "---" or not end:
        raise _not_a_card(path, 1, gettext('a card begins with front matter between two lines "---"'))
    # The leading "---" stays, so that YAML counts lines as the file does.
    front = "\n".join(lines[:end]) + "\n"
    try:
        tree = yaml.compose(front, Loader=yaml.SafeLoader)
        data = yaml.safe_load(front)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise _not_a_card(path, mark.line + 1 if mark else 1, error.problem or gettext("not YAML")) from error
    if not isinstance(data, dict):
        raise _not_a_card(path, 2, gettext("the front matter holds names and values, such as card: 6"))
    data["body"] = "\n".join(lines[end + 1 :]).strip() + "\n"
    try:
        return Card.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = _places(data, first["loc"])
        label = ".".join(str(part) for part in first["loc"]) or "card"
        raise _not_a_card(path, _line(tree, where), f"{label}: {first['msg']}") from error


def _places(data: dict[str, Any], loc: Sequence[int | str]) -> list[int | str]:
    """The error's place in the file, where claims are a list and not yet named by their id."""
    if len(loc) > 1 and loc[0] == "claims":
        ids = [claim.get("id") for claim in data["claims"]]
        return ["claims", ids.index(loc[1]), *loc[2:]]
    return list(loc)


def _line(node: yaml.Node | None, loc: Sequence[int | str]) -> int:
    """The line, counted from 1, of the deepest part of `loc` that the file has."""
    line = 1 if node is None else node.start_mark.line + 1
    if not loc:
        return line
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == loc[0]:
                return _line(value, loc[1:]) if len(loc) > 1 else int(key.start_mark.line) + 1
    elif isinstance(node, yaml.SequenceNode) and isinstance(loc[0], int) and loc[0] < len(node.value):
        return _line(node.value[loc[0]], loc[1:])
    return line


def _not_a_card(path: Path, line: int, what: str) -> CourseError:
    return CourseError(
        f"{path}:{line}: {what}.",
        hint=gettext(
            "halab.course.cards describes the form; cards/en/06-failover-timeline.md is an example."
        ),
    )
