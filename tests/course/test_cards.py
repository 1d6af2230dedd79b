"""Cards: both languages say the same, and a damaged card says where."""

import re
from pathlib import Path

import pytest

from halab.course.cards import Card, card, read_card
from halab.course.catalogue import CATALOGUE
from halab.errors import CourseError

NUMBERS = [entry.number for entry in CATALOGUE]
FIGURE = re.compile(r"(?<![\w.])\d+(?:\.\d+)?")


def figures(text: str) -> list[float]:
    return sorted(float(found) for found in FIGURE.findall(text))


@pytest.mark.parametrize("number", NUMBERS)
def test_both_languages_make_the_same_claims(number: int) -> None:
    words = {"quantity", "leaves_out"}
    english, chinese = (
        [claim.model_dump(exclude=words) for claim in card(number, lang).claims.values()]
        for lang in ("en", "zh")
    )
    assert english == chinese


@pytest.mark.parametrize("number", NUMBERS)
def test_both_languages_state_the_same_figures_and_have_the_same_shape(number: int) -> None:
    english, chinese = card(number, "en"), card(number, "zh")

    def shape(one: Card) -> list[str]:
        return [line[:2] for line in one.body.splitlines() if line.startswith(("## ", "- ", "| "))]

    assert shape(english) == shape(chinese)
    assert {url.url for url in english.references.values()} == {
        url.url for url in chinese.references.values()
    }
    numbers = {"one": "1", "two": "2", "three": "3"}
    english_body = re.sub(r"\b(one|two|three)\b", lambda m: numbers[m[0].lower()], english.body.lower())
    spelled = figures(english_body.replace("one sentence", "sentence"))
    assert set(figures(chinese.body)) <= set(spelled)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_card_6_claims_its_timeline(lang: str) -> None:
    claims = card(6, lang).claims  # type: ignore[arg-type]
    steps = ["node-down", "check-timeout", "detected", "elected", "taken-over", "clients-back"]
    assert [claims[step].value for step in steps] == [0, 3, 5, 8, 10, 12]
    assert all(claims[step].unit == "s" for step in steps)
    assert claims["missed-heartbeats"].value == 3
    assert claims["failed-requests"].range == (5, 10)
    assert claims["users-notice"].range == (1, 2)
    assert claims["failover-takes"].range == (5, 15)
    assert claims["outage-total"].below == 15
    assert claims["tuned-detection"].value == 6
    assert claims["hot-standby"].below == 10


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("number", NUMBERS)
def test_every_claim_stands_in_the_prose(number: int, lang: str) -> None:
    one = card(number, lang)  # type: ignore[arg-type]
    words = {"one": "1", "two": "2", "three": "3"}
    body = re.sub(r"\b(one|two|three)\b", lambda m: words[m[0].lower()], one.body.lower())
    stated = set(figures(body))
    for claim in one.claims.values():
        ends = set(claim.range) if claim.range else {claim.high}
        assert ends <= stated, claim.id


@pytest.mark.parametrize("number", NUMBERS)
def test_a_card_is_read_in_two_minutes(number: int) -> None:
    assert len(card(number, "en").body.split()) <= 2 * 200
    assert len(re.findall(r"[一-鿿]", card(number, "zh").body)) <= 2 * 300


def test_a_claim_knows_its_bounds_and_says_its_figure() -> None:
    claims = card(6, "en").claims
    assert (claims["failed-requests"].low, claims["failed-requests"].high) == (5, 10)
    assert (claims["outage-total"].low, claims["outage-total"].high) == (0, 15)
    assert claims["failed-requests"].text("en") == "5–10 requests"
    assert claims["outage-total"].text("zh") == "不到 15 秒"
    assert card(1, "en").claims["whole-system"].text("en") == "1 part"


def test_the_language_follows_halab_lang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALAB_LANG", "zh")
    assert card(6).title == "故障转移的时间线"
    monkeypatch.setenv("HALAB_LANG", "fr")
    with pytest.raises(CourseError, match="HALAB_LANG"):
        card(6)


def test_a_card_whose_file_is_missing_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cards").mkdir()
    (tmp_path / "course").mkdir()
    monkeypatch.setenv("HALAB_COURSE", str(tmp_path))
    with pytest.raises(CourseError, match="there is no such file"):
        card(1, "en")
    with pytest.raises(CourseError, match="no 13"):
        card(13, "en")


def test_an_unknown_claim_lists_those_there_are() -> None:
    with pytest.raises(CourseError, match="failed-requests"):
        card(6, "en").claim("failed")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("    range: [5, 10]\n", "    range: [10, 5]\n", "from low to high"),
        ("    unit: requests\n", "    unit: apples\n", "unit"),
        ("    value: 12\n", "    value: twelve\n", "value"),
        ("sources: [replica]", "sources: [gossip]", "gossip"),
        ("summary: A failover", "summary: [A failover", "expected"),
        ("  - id: elected", "  - id: detected", "two of detected"),
    ],
)
def test_a_damaged_card_names_file_and_line(tmp_path: Path, old: str, new: str, says: str) -> None:
    path = tmp_path / "card.md"
    text = (Path(__file__).parents[2] / "cards/en/06-failover-timeline.md").read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CourseError, match=rf"card\.md:\d+: .*{says}"):
        read_card(path)


def test_the_line_is_the_one_that_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "card.md"
    text = (Path(__file__).parents[2] / "cards/en/06-failover-timeline.md").read_text(encoding="utf-8")
    path.write_text(text.replace("    unit: requests\n", "    unit: apples\n"), encoding="utf-8")
    line = path.read_text(encoding="utf-8").splitlines().index("    unit: apples") + 1
    with pytest.raises(CourseError, match=rf"card\.md:{line}: "):
        read_card(path)
