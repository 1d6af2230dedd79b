from concurrent.futures import ThreadPoolExecutor

import pytest

from halab.course.store import append, create_once, read


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
