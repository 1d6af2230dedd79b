"""probe, bench and plot: what needs no cluster."""

from fnmatch import fnmatch
from pathlib import Path

import pytest
from typer.testing import CliRunner

from halab import cli
from halab.measure.experiments.fault_experiment import journal_name

IGNORED = (Path(__file__).parents[2] / ".gitignore").read_text().splitlines()


def test_a_journal_that_is_written_into_a_checkout_and_its_picture_are_ignored_by_git():
    for fault in ("crash active rootcoord", None, "hang query node 1, crash etcd leader"):
        journal = Path(journal_name(fault))
        for name in (journal.name, journal.with_suffix(".png").name):
            assert any(fnmatch(name, pattern) for pattern in IGNORED), name
    assert not any(fnmatch("failover.jsonl", pattern) for pattern in IGNORED), "the README's own is kept"


@pytest.mark.parametrize("name", ["x.exe", "x.jsonl", "folder"])
def test_what_is_no_picture_s_name_is_told_before_anything_is_drawn(tmp_path, name):
    (tmp_path / "folder").mkdir()
    journal = Path(__file__).parents[2] / "docs" / "failover.jsonl"
    result = CliRunner().invoke(cli.app, ["plot", str(journal), str(tmp_path / name)])
    assert result.exit_code == 2
    assert "a picture's name ends with .png" in " ".join(result.output.replace("│", "").split())


@pytest.mark.parametrize("replicas", ["two", "1,,2", "0,1", ""])
def test_a_bench_of_no_replicas_is_told_before_a_cluster_starts(replicas):
    result = CliRunner().invoke(cli.app, ["bench", "read", "--replicas", replicas])
    assert result.exit_code == 2
    assert "such as 1,2,3" in " ".join(result.output.split())
