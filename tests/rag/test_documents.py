import os

import pytest
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from halab.errors import RagError
from halab.rag.documents import read_documents


def write_pdf(path, text):
    writer = PdfWriter()
    page = writer.add_blank_page(300, 300)
    stream = DecodedStreamObject()
    stream.set_data(f"BT /F1 12 Tf 10 100 Td ({text}) Tj ET".encode())
    font = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Helvetica"}
    fonts = DictionaryObject(
        {NameObject("/F1"): DictionaryObject({NameObject(k): NameObject(v) for k, v in font.items()})}
    )
    page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
    page[NameObject("/Contents")] = writer._add_object(stream)
    writer.write(path)


def test_each_kind_of_file_is_read_with_its_headings(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "a.md").write_text(
        "---\ntitle: Plans\n---\nFirst.\n\n## Now\n```sh\n# no heading\n```\n\n## Empty\n"
    )
    (tmp_path / "in" / "b.txt").write_text("Only text.")
    write_pdf(tmp_path / "c.pdf", "Backups are tested")
    found = {(p.source.partition("/")[2], p.heading): p.text for p in read_documents(tmp_path).passages}
    assert found == {
        ("a.md", "Plans"): "First.",
        ("a.md", "Plans > Now"): "```sh\n# no heading\n```",
        ("in/b.txt", "b"): "Only text.",
        ("c.pdf", "c, page 1"): "Backups are tested",
    }


def test_a_bad_file_is_named_and_left_out(tmp_path):
    (tmp_path / "good.txt").write_text("text")
    (tmp_path / "bad.pdf").write_bytes(b"not a pdf")
    write_pdf(tmp_path / "torn.pdf", "text")
    whole = (tmp_path / "torn.pdf").read_bytes()
    (tmp_path / "torn.pdf").write_bytes(
        whole.replace(b"/Kids", b"/Kidz").replace(b"/Type /Page", b"/Type [[Page")
    )
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "notes.md").write_text("text")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    (tmp_path / "empty.md").write_text("# Heading only\n")
    (tmp_path / "endless.txt").touch()
    os.truncate(tmp_path / "endless.txt", 10 << 30)
    documents = read_documents(tmp_path)
    assert len(documents.passages) == 1
    assert {source.split("/")[1] for source in documents.left_out} == {
        "bad.pdf",
        "torn.pdf",
        "latin.txt",
        "empty.md",
        "endless.txt",
    }
    assert all(documents.left_out.values())


def test_a_folder_without_text_is_an_error_that_says_why(tmp_path):
    (tmp_path / "bad.pdf").write_bytes(b"not a pdf")
    with pytest.raises(RagError, match=r"no passage(.|\n)*bad\.pdf: "):
        read_documents(tmp_path)


def test_long_texts_are_cut_between_paragraphs_and_lose_nothing(tmp_path):
    paragraphs = [f"{number} " + "word " * 60 for number in range(20)]
    (tmp_path / "long.txt").write_text("\n\n".join(paragraphs))
    pieces = [passage.text for passage in read_documents(tmp_path).passages]
    assert len(pieces) > 3
    assert max(map(len, pieces)) <= 1500
    assert "\n\n".join(pieces).split() == " ".join(paragraphs).split()
    assert all(piece[0].isdigit() for piece in pieces)
