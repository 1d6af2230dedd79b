import re

from halab.tables import html_table, text_table

HEADINGS = ("operation", "failed", "what to do")
ROWS = [("search with retries", "178", "wait until every role is healthy " * 4), ("insert", "0", "/a" * 60)]


def test_a_text_table_fits_a_terminal_and_loses_nothing():
    text = text_table("a heading", HEADINGS, ROWS, ["a remark with [brackets] " * 6], align="left")
    assert max(map(len, text.splitlines())) <= 80
    letters = re.sub(r"\s|─", "", text)
    assert "…" not in text
    assert letters.count("/a") == 60
    assert letters.count("[brackets]") == 6
    for word in ("aheading", "178", "insert", "search", "retries"):
        assert word in letters


def test_making_a_text_in_a_notebook_shows_nothing_by_itself(monkeypatch):
    shown = []
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    monkeypatch.setattr("rich.jupyter.display", lambda *parts: shown.append(parts))
    assert "insert" in text_table("a heading", HEADINGS, ROWS)
    assert shown == []


def test_an_html_table_names_its_rows_and_columns_and_is_escaped():
    table = html_table("<b>", ("<i>",), [("<u>",)], ["<s>"])
    assert not re.search("<[bius]>", table)
    assert '<th scope="col"' in table
    assert '<th scope="row"' in table
    assert "<caption" in table
