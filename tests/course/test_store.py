import os
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from halab.course.store import DamagedFileWarning, append, create_once, read

PREDICTION = {"card": 6, "experiment": "main", "time": 1.0, "numbers": {"last_failure": 11}}
GRADE = {"card": 6, "points": 20, "out_of": 20.0, "checks": [{"task": "06.1", "hint": ""}]}


def test_records_come_back_in_the_order_they_were_added(tmp_path):
    path = tmp_path / "kept.jsonl"
    for number in range(3):
        append(path, {"number": number, "text": "值"})
    assert [record["number"] for record in read(path)] == [0, 1, 2]


def test_an_absent_file_has_no_records(tmp_path):
    assert read(tmp_path / "none.jsonl") == []


def test_a_damaged_file_is_set_aside_whole_and_its_readable_records_go_on(tmp_path):
    path = tmp_path / "kept.jsonl"
    append(path, {"number": 1})
    with path.open("a") as file:
        file.write('{"number": 2, "te')
    damaged = path.read_bytes()
    with pytest.warns(UserWarning, match="set aside"):
        assert read(path) == [{"number": 1}]
    (aside,) = tmp_path.glob("kept.jsonl.damaged-*")
    assert aside.read_bytes() == damaged
    assert read(path) == [{"number": 1}]


def test_a_file_is_made_once_by_whoever_comes_first(tmp_path):
    path = tmp_path / "once"
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda number: create_once(path, str(number).encode()), range(32)))
    assert made.count(True) == 1
    assert path.read_bytes() == str(made.index(True)).encode()
    assert [file.name for file in tmp_path.iterdir()] == ["once"]


def test_a_line_that_was_torn_does_not_take_the_next_one_with_it(tmp_path):
    path = tmp_path / "kept.jsonl"
    path.write_text('{"number": 1, "te')
    append(path, {"number": 2})
    with pytest.warns(DamagedFileWarning, match=r"kept\.jsonl is damaged"):
        assert read(path) == [{"number": 2}]


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("predictions.jsonl", PREDICTION, PREDICTION | {"numbers": [1, 2]}),
        ("predictions.jsonl", PREDICTION, PREDICTION | {"card": "6"}),
        ("predictions.jsonl", PREDICTION, PREDICTION | {"card": 13}),
        ("predictions.jsonl", PREDICTION, {"time": 1.0}),
        ("predictions.jsonl", PREDICTION, PREDICTION | {"numbers": {"last_failure": float("nan")}}),
        ("grades.jsonl", GRADE, GRADE | {"points": "20"}),
        ("grades.jsonl", GRADE, GRADE | {"points": -1}),
        ("grades.jsonl", GRADE, GRADE | {"checks": [{"task": "06.1"}]}),
        ("hints.jsonl", {"topic": "06.1.rto"}, {"step": 1}),
        ("copies.jsonl", {"path": "course/x.ipynb", "sha256": "0"}, {"path": 5, "sha256": "0"}),
    ],
)
def test_a_record_that_lacks_what_its_readers_need_is_damage(tmp_path, name, good, bad):
    path = tmp_path / name
    append(path, good)
    append(path, bad)
    with pytest.warns(DamagedFileWarning, match=name):
        assert read(path) == [good]
    assert read(path) == [good]


def test_fields_of_a_newer_halab_are_kept(tmp_path):
    path = tmp_path / "predictions.jsonl"
    record = PREDICTION | {"mood": "sure", "numbers": {"last_failure": 11.0, "of a newer lesson": 3}}
    append(path, record)
    assert read(path) == [record]


def test_where_warnings_are_errors_the_good_records_have_gone_on_before(tmp_path):
    path = tmp_path / "kept.jsonl"
    path.write_text('{"number": 1}\nnonsense\n')
    with pytest.raises(DamagedFileWarning):
        read(path)
    assert read(path) == [{"number": 1}]


def test_many_who_find_the_same_damage_lose_nothing(tmp_path):
    path = tmp_path / "kept.jsonl"
    path.write_text('{"number": 1}\nnonsense\n{"number": 2}\n')
    with warnings.catch_warnings(), ThreadPoolExecutor(8) as pool:
        warnings.simplefilter("ignore", DamagedFileWarning)
        list(pool.map(lambda _: read(path), range(8)))
    assert {record["number"] for record in read(path)} == {1, 2}
    assert any("nonsense" in aside.read_text() for aside in tmp_path.glob("*.damaged-*"))


def pipe(path, elsewhere):
    os.mkfifo(path)


def device(path, elsewhere):
    path.symlink_to("/dev/zero")


def sparse(path, elsewhere):
    path.touch()
    os.truncate(path, 3 << 30)


def folder(path, elsewhere):
    path.mkdir()


def link_to_itself(path, elsewhere):
    path.symlink_to(path)


@pytest.mark.timeout(30)
@pytest.mark.parametrize("make", [pipe, device, sparse, folder, link_to_itself])
def test_what_is_no_plain_file_is_set_aside_and_never_awaited(tmp_path, make):
    path = tmp_path / "grades.jsonl"
    make(path, tmp_path / "elsewhere")
    with pytest.warns(DamagedFileWarning, match="set aside"):
        assert read(path) == []
    append(path, {"card": 6})
    assert path.is_file()


def test_nothing_is_appended_to_what_a_link_leads_to(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("kept")
    (tmp_path / "grades.jsonl").symlink_to(elsewhere)
    with pytest.warns(DamagedFileWarning, match="A new one was begun"):
        append(tmp_path / "grades.jsonl", {"card": 6})
    assert elsewhere.read_text() == "kept"
