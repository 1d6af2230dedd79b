"""The rooms of the house: each knows only what stands above it, and no two files have one name."""

import ast
from collections import Counter
from pathlib import Path

import pytest

import halab
from halab.course.catalogue import CATALOGUE, exercises

HOUSE = Path(halab.__file__).parent
ROOMS = (
    "models",
    "sim",
    "cluster",
    "measure/journal",
    "measure/probing",
    "measure/experiments",
    "monitoring",
    "protect/backup",
    "protect/drill",
    "rag",
    "course",
    "exercises",
    "grading",
    "certificate",
    "classroom",
    "widgets",
    "lessons",
    "commands",
)
# What a card's slug names: its lesson; of its exercise what is given, how that is made, and the checks.
SLUGS = tuple(card.slug[3:].replace("-", "_") for card in CATALOGUE)


def imported(path: Path) -> set[str]:
    """Modules of halab that a file imports anywhere in it, as paths below the house."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name.removeprefix("halab.").replace(".", "/") for name in names if name.startswith("halab.")}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_knows_only_what_stands_above_it(room):
    below = ROOMS[ROOMS.index(room) + 1 :]
    files = list((HOUSE / room).rglob("*.py"))
    assert files
    for path in files:
        back = [name for name in imported(path) if name.startswith(tuple(f"{other}/" for other in below))]
        assert not back, path.relative_to(HOUSE)


def test_every_file_is_in_a_room():
    outside = {"__init__.py", "__main__.py", "cli.py", "errors.py", "folders.py", "loopback_server.py"}
    outside |= {"tables.py", "translation.py", "measure/__init__.py", "protect/__init__.py"}
    for path in HOUSE.rglob("*.py"):
        name = path.relative_to(HOUSE).as_posix()
        assert name in outside or name.startswith(tuple(f"{room}/" for room in ROOMS)), name


def test_a_card_has_one_name_everywhere():
    for slug in SLUGS:
        assert (HOUSE / "lessons" / f"{slug}.py").is_file()
        files = {path.stem for path in (HOUSE / "exercises" / slug).glob("[!_]*.py")}
        assert files == {"given", "variant", "checks"}


def test_an_exercise_beyond_the_cards_has_one_name_too():
    slugs = {exercise.slug[3:].replace("-", "_") for exercise in exercises()}
    assert slugs == {path.name for path in (HOUSE / "exercises").iterdir() if (path / "checks.py").is_file()}


def test_no_two_files_have_one_name():
    stems = Counter(path.stem for path in HOUSE.rglob("*.py") if not path.stem.startswith("__"))
    assert {name for name, times in stems.items() if times > 1} == {"given", "variant", "checks"}
