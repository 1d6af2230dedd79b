"""The rooms of the house: each knows only what stands above it."""

import ast
from pathlib import Path

import pytest

import halab

HOUSE = Path(halab.__file__).parent
ROOMS = ("models", "sim", "cluster", "measure", "protect", "course", "widgets", "commands")


def imported(path: Path) -> set[str]:
    """Rooms of halab that a file imports anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith("halab.")}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_knows_only_what_stands_above_it(room):
    below = set(ROOMS[ROOMS.index(room) + 1 :])
    files = list((HOUSE / room).rglob("*.py"))
    assert files
    for path in files:
        assert not imported(path) & below, path.relative_to(HOUSE)
