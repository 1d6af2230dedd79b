"""The learner's language, and halab's messages in it: gettext catalogues below `locale/`, one a language.

English stands in the code. Adding a language is adding files: `src/halab/locale/<language>/`,
`cards/<language>/` and `course/<language>/`. CONTRIBUTING.md says how they are written.
"""

from __future__ import annotations

import gettext as catalogues
import io
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from halab.errors import CourseError
from halab.folders import known_work_dir, read_plain, work_dir

__all__ = [
    "CALLS",
    "NO_TEXT",
    "Language",
    "LazyText",
    "catalogue_path",
    "gettext",
    "gettext_lazy",
    "gettext_noop",
    "html_lang",
    "language",
    "language_name",
    "languages",
    "name_list",
    "ngettext",
    "npgettext",
    "pgettext",
    "pgettext_lazy",
    "remember_language",
    "speaking",
]

Language = str  # an ISO 639 code: "en", or a folder of locale/

CALLS = {
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "npgettext": ((1, "c"), 2, 3),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
}
"""The calls that hold a message, in Python and in the front ends, as Babel names their arguments."""

_LOCALE = Path(__file__).with_name("locale")


_spoken: ContextVar[Language | None] = ContextVar("spoken", default=None)


def languages() -> tuple[Language, ...]:
    """The languages the course speaks, English first."""
    return _languages_in(_LOCALE)


@cache
def _languages_in(folder: Path) -> tuple[Language, ...]:
    """Read once: every message asks for them."""
    return ("en", *sorted(path.name for path in folder.iterdir() if path.is_dir()))


def language() -> Language:
    """The learner's language: HALAB_LANG, else the one chosen on the start page, else the system's.

    English if none of them is a language of the course; inside of `speaking`, the one asked for there.
    Raises CourseError if HALAB_LANG is not a language of the course.
    """
    if asked := _spoken.get():
        return asked
    known = languages()
    if named := os.environ.get("HALAB_LANG"):
        if named not in known:
            with speaking(_of_the_system(known)):
                raise CourseError(
                    gettext("HALAB_LANG should be one of {languages}, but it is {asked!r}.").format(
                        languages=", ".join(known), asked=named
                    ),
                    hint=gettext("Set it to one of them, or unset it."),
                )
        return named
    chosen = _remembered()
    return chosen if chosen in known else _of_the_system(known)


@contextmanager
def speaking(asked: Language) -> Iterator[None]:
    """Every message inside is in this language, whatever the learner's is."""
    token = _spoken.set(asked)
    try:
        yield
    finally:
        _spoken.reset(token)


def remember_language(chosen: Language) -> None:
    """Keep the learner's choice beside their work, in `work/.halab/language`."""
    if chosen not in languages():
        raise CourseError(
            gettext("The course speaks {languages}, not {asked!r}.").format(
                languages=", ".join(languages()), asked=chosen
            )
        )
    file = _choice(work_dir())
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{chosen}\n", encoding="utf-8")


def language_name(of: Language) -> str:
    """What its speakers call a language: its code where Babel does not know that."""
    from babel import Locale, UnknownLocaleError  # here: most programs never need it

    try:
        name = Locale.parse(of).get_display_name() or of
    except (UnknownLocaleError, ValueError):
        return of
    return name[:1].upper() + name[1:]


def html_lang(of: Language) -> str:
    """A language as HTML calls it, so that it is read aloud and drawn as it should: "zh-Hans" for "zh".

    The header of its catalogue says so, as `Language: zh_Hans`.
    """
    return _catalogue(of).info().get("language", of).replace("_", "-")


def catalogue_path(of: Language) -> Path:
    """The catalogue of halab's messages in a language but English, a .po file."""
    return _LOCALE / of / "LC_MESSAGES" / "halab.po"


def gettext(message: str) -> str:
    """`message` in the learner's language; as it stands in English or where it has no translation."""
    return _catalogue(language()).gettext(message) if message else ""  # gettext's own "" is the header


def gettext_noop(message: str) -> str:
    """`message` itself: marks a constant that `gettext` translates where it is shown."""
    return message


def pgettext(context: str, message: str) -> str:
    """As `gettext`, for a message that means something else in another place; `context` tells them apart."""
    return _catalogue(language()).pgettext(context, message)


def name_list(names: Iterable[object]) -> str:
    """Names one after the other, with what stands between them in the learner's language: "a, b"."""
    return pgettext("between names", ", ").join(map(str, names))


def npgettext(context: str, singular: str, plural: str, number: float) -> str:
    """As `ngettext`, with a context as in `pgettext`."""
    return _catalogue(language()).npgettext(context, singular, plural, number)  # type: ignore[arg-type]


def ngettext(singular: str, plural: str, number: float) -> str:
    """`singular` or `plural` for so many, in the learner's language."""
    return _catalogue(language()).ngettext(singular, plural, number)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class LazyText:
    """A message that is put into words when it is shown: `str` of it is in the learner's language of then.

    `values` fill its placeholders: plain ones, such texts, or functions that give one when it is shown.
    """

    message: str
    values: Mapping[str, object] = field(default_factory=dict, hash=False)
    context: str = ""

    def __str__(self) -> str:
        text = pgettext(self.context, self.message) if self.context else gettext(self.message)
        told = {name: value() if callable(value) else value for name, value in self.values.items()}
        return text.format(**told) if told else text

    def in_(self, asked: Language) -> str:
        with speaking(asked):
            return str(self)

    def in_every_language(self) -> dict[Language, str]:
        return {each: self.in_(each) for each in languages()}


NO_TEXT = LazyText("")


def gettext_lazy(message: str, **values: object) -> LazyText:
    """As `gettext`, for a text that is made before it is known who reads it."""
    return LazyText(message, values)


def pgettext_lazy(context: str, message: str, **values: object) -> LazyText:
    """As `pgettext`, for a text that is made before it is known who reads it."""
    return LazyText(message, values, context)


def _choice(work: Path) -> Path:
    return work / ".halab" / "language"


def _remembered() -> str:
    work = known_work_dir()  # none in a sandbox, where there is no course
    try:
        return read_plain(_choice(work), 16).decode().strip() if work else ""
    except (OSError, UnicodeDecodeError):
        return ""


def _of_the_system(known: tuple[Language, ...]) -> Language:
    """By the variable that POSIX asks first; LANG=zh_CN.UTF-8 is "zh"."""
    names = (os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    code = next((name for name in names if name), "").partition("_")[0].partition(".")[0]
    return code if code in known else "en"


@cache
def _catalogue(chosen: Language) -> catalogues.NullTranslations:
    if chosen == "en" or not catalogue_path(chosen).is_file():  # whose translation has just begun
        return catalogues.NullTranslations()
    # Here: who reads English never pays for it. Compiled on reading, so that no second file can be stale.
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with catalogue_path(chosen).open("rb") as file:
        texts = read_po(file)
    compiled = io.BytesIO()
    write_mo(compiled, texts)
    compiled.seek(0)
    return catalogues.GNUTranslations(compiled)
