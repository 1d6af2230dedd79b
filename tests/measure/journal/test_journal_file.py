import hashlib
import json
import os

import pytest

from halab.cluster.protocol import Event
from halab.errors import JournalError
from halab.measure.journal.journal_file import FaultRecord, Journal, RowCount


@pytest.fixture
def full(journal, samples):
    return journal(
        samples("..x?.") + samples("..x..", "insert"),
        faults=[FaultRecord("crash", "active rootcoord", "rootcoord-1", 0.15, 0.4)],
        events=[Event(0.45, "rootcoord-1", "restarted", "supervisor", "after it exited")],
        notes=["a note, 一条笔记\u2028with a line separator"],
        count=RowCount(4, 0, 1, 3, missing=(17,)),
    )


@pytest.fixture
def lines(full, tmp_path):
    """Write given lines to a file, as an editor would."""

    def write(changed):
        path = tmp_path / "changed.jsonl"
        path.write_text("\n".join(changed) + "\n", encoding="utf-8")
        return path

    return write


def test_a_saved_journal_reads_back_the_same(full, tmp_path):
    read = Journal.load(full.save(tmp_path / "new folder" / "a.jsonl"))
    assert read == full
    assert read.samples() == full.samples()
    assert read.faults == full.faults
    assert read.events == full.events
    assert read.count == full.count
    assert read.notes == full.notes
    assert read.digest == full.digest


def test_the_views_hold_what_was_written(full):
    assert [s.outcome.value for s in full.samples("search")] == ["ok", "ok", "fail", "unknown", "ok"]
    assert full.faults[0].target == "active rootcoord"
    assert full.events[0].by == "supervisor"
    assert full.count.missing == (17,)
    assert full.resolution == pytest.approx(0.1)
    assert not full.simulated


def test_an_unknown_operation_is_refused_with_those_there_are(full):
    with pytest.raises(JournalError, match="search, insert"):
        full.samples("delete")


def test_saving_never_overwrites(full, tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("mine")
    with pytest.raises(JournalError, match="never overwritten"):
        full.save(path)
    assert path.read_text() == "mine"


def test_every_altered_line_is_found_and_named(full, lines):
    for number, line in enumerate(full.lines, start=1):
        record = json.loads(line)
        key = next(
            key for key in sorted(record) if key not in ("hash", "prev", "record", "format", "version")
        )
        record[key] = "altered"
        changed = list(full.lines)
        changed[number - 1] = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        with pytest.raises(JournalError, match=f"line {number} "):
            Journal.load(lines(changed))


def test_a_changed_way_of_writing_is_an_alteration_too(full, lines):
    spaced = [json.dumps(json.loads(line)) for line in full.lines]
    with pytest.raises(JournalError, match="line 1 was altered"):
        Journal.load(lines(spaced))


@pytest.mark.parametrize("keep", [1, 4, -1])
def test_a_truncated_journal_is_found(full, lines, keep):
    with pytest.raises(JournalError, match="cut off"):
        Journal.load(lines(full.lines[:keep]))


def test_a_journal_cut_within_a_line_is_found(full, lines):
    with pytest.raises(JournalError, match="is not JSON"):
        Journal.load(lines([*full.lines[:-1], full.lines[-1][:20]]))


def test_a_removed_line_is_found(full, lines):
    with pytest.raises(JournalError, match="line 5 does not follow line 4"):
        Journal.load(lines([*full.lines[:4], *full.lines[5:]]))


def test_a_missing_beginning_is_found(full, lines):
    with pytest.raises(JournalError, match="line 1 should be a halab-journal header"):
        Journal.load(lines(full.lines[1:]))


def test_reordered_lines_are_found(full, lines):
    changed = list(full.lines)
    changed[3], changed[4] = changed[4], changed[3]
    with pytest.raises(JournalError, match="line 4 does not follow"):
        Journal.load(lines(changed))


def test_appended_lines_are_found(full, lines):
    with pytest.raises(JournalError, match="added behind the footer"):
        Journal.load(lines([*full.lines, full.lines[3]]))


def test_two_journals_in_one_file_are_found(full, lines):
    with pytest.raises(JournalError, match="added behind the footer"):
        Journal.load(lines([*full.lines, *full.lines]))


def test_a_foreign_version_is_refused_with_both_versions(full, lines):
    record = {**json.loads(full.lines[0]), "version": 99}
    with pytest.raises(JournalError, match="version 99, this halab reads version 2"):
        Journal.load(lines([json.dumps(record), *full.lines[1:]]))


def chained(lines, number, change):
    """The lines with a change in one record, and with the chain that belongs to it."""
    records, prev = [json.loads(line) for line in lines], "0" * 64
    change(records[number])
    for record in records:
        record["prev"] = prev
        del record["hash"]
        body = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        record["hash"] = prev = hashlib.sha256(body.encode()).hexdigest()
        yield json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


BENT = [
    ("header", "rate", 0), ("header", "rate", -1), ("header", "rate", 10**400), ("header", "rate", "20"),
    ("header", "deadline", [1, 2]), ("header", "deadline", None), ("header", "ttl", "ten"),
    ("header", "operations", ["x" * 201]), ("header", "operations", [f"o{n}" for n in range(101)]),
    ("header", "operations", "search"), ("header", "operations", [1]), ("header", "timeouts", []),
    ("header", "simulated", None), ("header", "simulated", "no"), ("header", "engine", 7),
    ("header", "started", "yesterday"), ("header", "started", "9999-12-31T23:59:59-12:00"),
    ("header", "started", None), ("header", "versions", {"milvus": 2}), ("header", "new", 1),
    ("sample", "intended", "0.1"), ("sample", "done", None), ("sample", "sent", True),
    ("sample", "done", 10**30), ("sample", "outcome", "fine"), ("sample", "key", 2**70),
    ("sample", "key", 1.5), ("sample", "number", "x"), ("sample", "operation", "delete"),
    ("sample", "error", "x" * 200_000), ("sample", "error", None), ("fault", "at", None),
    ("fault", "undone_at", "later"), ("fault", "kind", ["crash"]), ("event", "time", "soon"),
    ("event", "detail", {}), ("note", "text", 7), ("note", "text", None), ("count", "missing", 3),
    ("count", "missing", ["a"]), ("count", "acknowledged", "4"), ("footer", "p99", []),
    ("footer", "max", None), ("footer", "median", "x"), ("footer", "clock_resolution", -1.0),
    ("header", "operations", ["search", "search"]), ("header", "ttl", -10.0), ("sample", "number", -1),
    ("sample", "done", -5.0), ("fault", "undone_at", -1.0), ("count", "found", -1),
    ("count", "missing", [*range(10_000)]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "name", "value"), BENT)
def test_a_field_of_the_wrong_type_or_size_is_named_with_its_line(full, lines, kind, name, value):
    number = next(n for n, line in enumerate(full.lines) if json.loads(line)["record"] == kind)
    changed = list(chained(full.lines, number, lambda record: record.update({name: value})))
    with pytest.raises(JournalError) as caught:
        Journal.load(lines(changed))
    assert (f"line {number + 1}: " in caught.value.message and name in caught.value.message) or (
        "the operation 'delete'" in caught.value.message
    )


@pytest.mark.parametrize("line", ["[" * 100_000, '{"record": "header", "x": 1e999}', '{"record": "\\ud800"}'])
def test_a_line_that_no_json_should_hold_is_named(full, lines, line):
    with pytest.raises(JournalError, match="line 1 is not JSON, or holds what no journal does"):
        Journal.load(lines([line, *full.lines[1:]]))


def test_a_pipe_a_device_and_a_file_of_gigabytes_are_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(3 << 30)
    for name, reason in {"pipe": "plain file", "zero": "plain file", "sparse": "no journal has more"}.items():
        with pytest.raises(JournalError, match=reason):
            Journal.load(tmp_path / name)
    with pytest.raises(JournalError, match="plain file"):
        Journal.load(tmp_path)
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(JournalError, match="cannot be read: Too many levels"):
        Journal.load(tmp_path / "loop")


def test_any_other_file_is_refused(tmp_path):
    for name, content in {
        "text": b"hello\n",
        "binary": b"\xff\xfe\x00",
        "list": b"[1]\n",
        "empty": b"",
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(JournalError):
            Journal.load(tmp_path / name)
    with pytest.raises(JournalError, match="there is no journal"):
        Journal.load(tmp_path / "absent")


def test_extending_keeps_the_measurement_and_makes_a_new_chain(full):
    longer = full.extended(count=RowCount(1, 0, 0, 1), notes=["later"])
    longer.verify()
    assert longer.samples() == full.samples()
    assert longer.notes[-1] == "later"
    assert longer.count.found == 1
    assert longer.digest != full.digest
