import pytest

from halab.errors import RagError
from halab.rag.ingest import ingest
from halab.rag.local_passages import LocalPassages
from halab.rag.vectors import LexicalVectors
from support.fake_passages import FakeCollection


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "notes"
    folder.mkdir()
    for number in range(10):
        (folder / f"{number}.txt").write_text(f"note {number}")
    return folder


@pytest.fixture
def take_in(folder, tmp_path):
    local = tmp_path / "passages.jsonl"

    def take_in(collection):
        return ingest(folder, collection, LexicalVectors(LocalPassages().rarity), local, batch=3)

    take_in.local = local
    return take_in


@pytest.mark.parametrize("acknowledged", range(4))
def test_cut_off_anywhere_and_begun_again_each_passage_is_there_once(take_in, acknowledged):
    collection = FakeCollection(fail_after=acknowledged)
    with pytest.raises(RagError, match="acknowledged"):
        take_in(collection)
    collection.fail_after = None
    done = take_in(collection)
    assert len(collection.rows["fake_a"]) == 10
    assert done.there >= 3 * acknowledged
    assert done.written + done.there == 10
    assert take_in(collection).written == 0


def test_what_a_document_no_longer_holds_is_removed(take_in, folder):
    collection = FakeCollection()
    take_in(collection)
    (folder / "3.txt").write_text("another note")
    (folder / "4.txt").unlink()
    done = take_in(collection)
    assert (done.written, done.removed) == (1, 2)
    texts = {passage.text for passage in collection.rows["fake_a"].values()}
    assert "another note" in texts
    assert {"note 3", "note 4"} & texts == set()
    assert {passage.text for passage in LocalPassages.load(take_in.local)} == texts


def test_a_file_that_cannot_be_read_now_keeps_its_passages(take_in, folder):
    collection = FakeCollection()
    take_in(collection)
    (folder / "3.txt").write_bytes(b"\xff")
    done = take_in(collection)
    assert done.removed == 0
    assert "notes/3.txt" in repr(done)
    assert len(collection.rows["fake_a"]) == 10


@pytest.mark.parametrize(
    ("counted", "said"),
    [
        (lambda keys: keys[1:], "1 are not there and 0 are there twice"),
        (lambda keys: [*keys, keys[0]], "0 are not there and 1 are there twice"),
    ],
)
def test_rows_are_counted_at_the_end_and_a_lost_or_doubled_one_is_an_error(
    take_in, monkeypatch, counted, said
):
    collection = FakeCollection()
    present = collection.present

    def count(side, keys):
        there = present(side, keys)
        return counted(there) if there else []

    monkeypatch.setattr(collection, "present", count)
    with pytest.raises(RagError, match=said):
        take_in(collection)


def test_another_cluster_forgets_what_is_gone_too(take_in, folder):
    first, second = FakeCollection(), FakeCollection()
    take_in(first)
    take_in(second)
    (folder / "4.txt").unlink()
    assert (take_in(first).removed, take_in(second).removed) == (1, 1)
