"""The glossary and the Chinese texts agree: no word that the glossary turns down."""

import re

from halab.course.paths import course_root

TEXTS = (
    "cards/zh/*.md",
    "course/zh/*.md",
    "src/halab/locale/zh/**/*.po",
    "src/halab/**/*.js",
    "src/halab/**/*.py",
    "src/halab/**/*.html",
)


def rows():
    lines = (course_root() / "docs" / "glossary.md").read_text(encoding="utf-8").splitlines()
    table = [line for line in lines if line.startswith("| ")][1:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table]


def test_each_row_has_its_words_in_both_languages():
    assert len(rows()) > 15
    for english, _, chinese, _ in rows():
        assert english
        assert chinese, english


def test_no_text_has_a_word_that_the_glossary_turns_down():
    refused = {word: row[2] for row in rows() for word in re.split(r"[,，]\s*", row[3]) if word}
    assert "故障切换" in refused
    root = course_root()
    for pattern in TEXTS:
        for path in root.glob(pattern):
            text = path.read_text(encoding="utf-8")
            for word, better in refused.items():
                assert word not in text, f"{path.relative_to(root)}: {word}, for which it is {better}"
