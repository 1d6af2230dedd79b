"""What every widget of the course has: a front end, and a face in plain text for where no front end runs."""

from __future__ import annotations

import io
import re
from functools import cache
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from halab.course.widget_outputs import kernel_metadata, without_kernel
from halab.translation import CALLS, gettext, html_lang, language, ngettext, pgettext, speaking

__all__ = ["CourseWidget", "front_end", "speech_of"]

_HERE = Path(__file__).parent
_IMPORT = re.compile(r'^import \{[^}]*\} from "\./shared\.js";\n', re.MULTILINE)
_COUNTED = (
    200  # numbers whose plural a front end is told; beyond them a language counts by the last two digits
)


def front_end(name: str) -> tuple[str, str]:
    """The `_esm` and the `_css` of a widget, each with what all widgets share before its own.

    anywidget hands the browser a text and no file, so `import ... from "./shared.js"` would find nothing
    there: the text of `shared.js` stands in its place.
    """
    shared, own = _read("shared.js"), _read(f"{name}.js")
    return shared + _IMPORT.sub("", own), _read("shared.css") + _read(f"{name}.css")


def _read(name: str) -> str:
    return (_HERE / name).read_text("utf-8")


class CourseWidget(anywidget.AnyWidget):  # type: ignore[misc]
    """An anywidget whose text says the same as its picture, in a terminal, a diff or a log.

    `lang` is the language it speaks, `html_lang` what HTML calls that: the learner's, until the start page's
    switch says another one.
    `speech` is what its front end says in it, by the English that stands in the front end's code.
    """

    lang = traitlets.Unicode().tag(sync=True)
    html_lang = traitlets.Unicode().tag(sync=True)
    speech = traitlets.Dict().tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(**{"lang": language()} | traits)
        self._speak()
        self.observe(self._speak, "lang")

    def told(self) -> dict[str, Any]:
        """The traits that hold words of Python's, in the language of `language()`."""
        return {}

    def text(self) -> str:
        """The widget's content as plain text."""
        raise NotImplementedError

    def still_picture(self) -> str:
        """The content as HTML, to stand above the text when no kernel runs; "" where the text is enough."""
        return ""

    def __repr__(self) -> str:
        with speaking(self.lang):
            return self.text()

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The view, which needs this kernel, and HTML for when it has ended."""
        data, metadata = super()._repr_mimebundle_(**options)
        with speaking(self.lang):
            data["text/html"] = without_kernel(data["text/plain"], self.still_picture())
        return data, metadata | kernel_metadata()

    def _speak(self, _change: Any = None) -> None:
        """Words in one message, so that the front end draws once; the speech last, since it draws for it."""
        with speaking(self.lang), self.hold_sync():
            for name, words in self.told().items():
                setattr(self, name, words)
            self.html_lang = html_lang(self.lang)
            self.speech = speech_of(self._esm)


def speech_of(module: str) -> dict[str, Any]:
    """What a front end says in the language of `language()`: nothing in English, which its code speaks.

    Of a message with a plural it has the forms, and which of them each number takes.
    """
    if language() == "en":
        return {}
    speech: dict[str, Any] = {}
    for message, context in _messages(module):
        if isinstance(message, tuple):
            singular, plural = message
            counted = [ngettext(singular, plural, number) for number in range(_COUNTED)]
            forms = list(dict.fromkeys(counted))
            speech[singular] = {"forms": forms, "which": [forms.index(form) for form in counted]}
        elif context:
            speech[f"{context}\4{message}"] = pgettext(context, message)
        else:
            speech[message] = gettext(message)
    return speech


@cache
def _messages(module: str) -> tuple[tuple[Any, str | None], ...]:
    """Each message in the text of a front end, with its context."""
    from babel.messages.extract import extract  # here: who reads English never pays for it

    messages = extract("javascript", io.BytesIO(module.encode()), keywords=CALLS)
    return tuple((message, context) for _, message, _, context in messages)
