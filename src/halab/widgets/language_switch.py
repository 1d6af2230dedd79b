"""The switch of the course's language on the start page."""

from __future__ import annotations

from typing import Any

import traitlets

from halab.course.jupyterlab import set_lab_language
from halab.translation import language, language_name, languages, remember_language
from halab.widgets.base import CourseWidget, front_end

__all__ = ["LanguageSwitch"]


class LanguageSwitch(CourseWidget):
    """The course's languages to choose from. What is open follows a choice, which is kept."""

    _esm, _css = front_end("language_switch")

    names = traitlets.Dict().tag(sync=True)
    chosen = traitlets.Unicode().tag(sync=True)

    def __init__(self) -> None:
        chosen = language()
        super().__init__(names={code: language_name(code) for code in languages()}, chosen=chosen)
        self.observe(self._keep, "chosen")

    def text(self) -> str:
        others = " ".join(
            f"{name}: HALAB_LANG={code}" for code, name in self.names.items() if code != self.chosen
        )
        return f"{self.names[self.chosen]}. {others}"

    def _keep(self, change: Any) -> None:
        remember_language(change["new"])
        set_lab_language(change["new"])
        self.lang = change["new"]
