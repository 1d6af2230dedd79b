"""What an executed notebook shows a learner: words, tables and pictures, never bare Python."""

import re
from typing import Any

# A tuple, list, dict or set; a quoted string; an object by its class: PosixPath(...), Alert(burn=14.4).
BARE = re.compile(r"""[(\[{].*[)\]}]|(['"]).*\1|[A-Z]\w*\(.*\)""", re.S)


def bare_results(notebook: Any) -> dict[str, str]:
    """Results that are the `repr` of a tuple, a list, a dict, a dataclass or a path, by cell id."""
    return {
        cell.id: text
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if (text := _only_text(output)) and BARE.fullmatch(text)
    }


def _only_text(output: Any) -> str:
    """The text of a result that has no other form, such as HTML or a picture; empty if it has one."""
    data = output.get("data", {})
    return data["text/plain"].strip() if list(data) == ["text/plain"] else ""
