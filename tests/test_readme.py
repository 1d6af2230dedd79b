"""What the README's first screen promises is in the tree."""

import re
from pathlib import Path

import pytest

from halab.course.catalogue import CATALOGUE
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.outage import rpo
from test_rooms import ROOMS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_both_commands_are_in_its_first_screen_and_in_the_makefile():
    first_screen = README[:1500]
    targets = re.findall(r"^(\S+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for command in ("lab", "test"):
        assert f"make {command} " in first_screen
        assert command in targets


def test_its_picture_is_of_a_real_run_whose_journal_is_whole():
    journal = Journal.load(ROOT / "docs" / "failover.jsonl")
    journal.verify()
    assert not journal.simulated
    assert journal.faults[0].target == "active rootcoord"
    assert rpo(journal) == 0


@pytest.mark.parametrize("document", ["README.md", "README.zh.md"])
def test_every_link_leads_somewhere(document):
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", (ROOT / document).read_text(encoding="utf-8"))
    assert len(links) > 10
    for target in links:
        assert target.startswith("https://") or (ROOT / target).exists(), target


def test_its_pictures_are_there_light_and_dark_and_small_and_say_what_they_show():
    pictures = re.findall(r"<picture>(.*?)</picture>", README, re.DOTALL)
    assert pictures
    for picture in pictures:
        (dark,), (light,) = re.findall('srcset="([^"]+)"', picture), re.findall('src="([^"]+)"', picture)
        assert dark == light.replace("-light.", "-dark.")
        assert all((ROOT / path).stat().st_size < 1_500_000 for path in (dark, light))
        assert len(re.findall('alt="([^"]+)"', picture)[0]) > 50


def test_both_languages_show_the_same_commands_and_pictures():
    def shown(text):
        blocks = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
        commands = [line.partition(" #")[0].strip() for block in blocks for line in block.splitlines()]
        return commands, re.findall(r'(?:src|srcset)="([^"]+)"', text)

    assert shown(README) == shown((ROOT / "README.zh.md").read_text(encoding="utf-8"))


def test_it_lists_the_ten_cards_with_their_lessons():
    for card in CATALOGUE:
        (row,) = re.findall(rf"^\| {card.number} \|.*$", README, re.MULTILINE)
        assert f"](course/{card.lesson_path.name})" in row


def test_the_map_names_every_room_in_order_and_every_folder():
    (place,) = re.findall(r"## Finding your way\n\n(.*?)\n\n", README, re.DOTALL)
    rows = re.findall(r"^( {4,8})(\S+) +\S", place, re.MULTILINE)
    assert len(rows) == len(place.splitlines())
    assert [name.rstrip("/") for indent, name in rows if len(indent) == 8] == list(ROOMS)
    named = {name.rstrip("/") for indent, name in rows if len(indent) == 4}
    ignored = (ROOT / ".gitignore").read_text().split()
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and f"{path.name}/" not in ignored}
    assert named == {name for name in folders if not name.startswith(".")} - {"src"} | {
        "src/halab",
        "nbgrader_config.py",
    }


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_every_path_it_names_is_there(document):
    text = (ROOT / document).read_text().replace("NN-slug", CATALOGUE[5].slug)
    text = text.replace("/slug", f"/{CATALOGUE[5].slug[3:].replace('-', '_')}")
    tops = "|".join(
        ("cards", "course", "solutions", "exercises", "src", "tests", "compose", "benchmarks", "docs")
    )
    paths = re.findall(rf"`((?:{tops})/[^` *]*)`", text)
    assert paths
    for path in paths:
        assert (ROOT / path).exists(), path
