"""What the README's first screen promises is in the tree."""

import re
from pathlib import Path

from halab.course.catalogue import CATALOGUE
from halab.measure import Journal, rpo

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


def test_every_link_leads_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("https://") or (ROOT / target).exists(), target


def test_it_lists_the_ten_cards_with_their_lessons():
    for card in CATALOGUE:
        (row,) = re.findall(rf"^\| {card.number} \|.*$", README, re.MULTILINE)
        assert f"](course/{card.lesson_path.name})" in row
