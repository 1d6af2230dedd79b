"""What notebooks show: cards, animations, forms, buttons; each says the same as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from IPython import get_ipython

from halab.translation import gettext

if TYPE_CHECKING:
    from halab.widgets.grade_panel import GradePanel

__all__ = ["show_grade_panel"]


def show_grade_panel(card: int) -> GradePanel | None:
    """The button that grades this card's exercise; where nobody can press it, one line of text.

    A notebook is run with this call in it where there is no kernel: it must start nothing there, and not even
    load what widgets need. In the grading sandbox another stands in for it (grading/sandbox/learner_view.py).
    """
    if getattr(get_ipython(), "kernel", None) is None:
        print(
            gettext(
                "In JupyterLab a button to grade this exercise is here. In a terminal: halab grade {card:02d}"
            ).format(card=card)
        )
        return None
    from halab.widgets.grade_panel import GradePanel

    return GradePanel(card)
