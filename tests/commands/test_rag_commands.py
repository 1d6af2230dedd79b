import socket

import pytest
from typer.testing import CliRunner

from halab import cli
from halab.errors import ClusterNotFound
from halab.rag.documents import Passage
from halab.rag.local_passages import LocalPassages

NOBODY = "http://127.0.0.1:1"


@pytest.fixture
def halab(tmp_path, monkeypatch):
    monkeypatch.setenv("HALAB_HOME", str(tmp_path))
    passages = [Passage("notes/tea.md", "Tea", "The tea is in the kitchen.")]
    LocalPassages(passages).save(tmp_path / "rag" / "passages.jsonl")
    return lambda *words: CliRunner().invoke(cli.app, ["rag", *words])


def test_without_milvus_a_question_is_answered_by_keywords_and_says_so(halab):
    shown = halab("ask", "where is the tea?", "--uri", NOBODY).output
    assert "Degraded (keywords): the question was not answered" in " ".join(shown.split())
    assert "[notes/tea.md: Tea]\nThe tea is in the kitchen." in shown


def test_without_a_cluster_keywords_answer_and_one_line_says_how_to_start_one(halab, tmp_path):
    result = halab("ask", "where is the tea?", "--name", "nowhere")
    assert result.exit_code == 0
    first, *rest = result.output.splitlines()
    assert first.startswith("Degraded (keywords): no cluster called nowhere is up")
    assert "halab up" in " ".join((first, *rest[:1]))
    assert "[notes/tea.md: Tea]" in result.output
    (tmp_path / "rag" / "passages.jsonl").unlink()  # nothing was ever taken in: the cards are at hand
    shown = halab("ask", "What is round robin?", "--name", "nowhere").output
    assert "nothing was taken in, so these are the course's cards" in " ".join(shown.split())
    assert "[cards/en/05-reading.md" in shown


def test_a_cluster_that_does_not_run_is_named(halab, tmp_path):
    (tmp_path / "a.txt").write_text("text")
    result = halab("ingest", str(tmp_path), "--name", "nowhere")
    assert isinstance(result.exception, ClusterNotFound)
    assert "nowhere" in str(result.exception)


def test_a_port_that_is_taken_is_an_error_of_the_command_line(halab):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = halab("serve", "--uri", NOBODY, "--port", str(taken.getsockname()[1]))
    assert result.exit_code == 2
    assert "not to be had" in result.output
