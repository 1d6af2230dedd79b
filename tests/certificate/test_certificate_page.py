"""The page says what the record says, needs nothing beside it, and prints on one sheet."""

import re
import tempfile
from pathlib import Path

import pytest

from halab.certificate.assessment import issue, save
from halab.certificate.certificate_page import page
from halab.certificate.record import Certificate
from halab.certificate.signing_keys import make_key, own_key


@pytest.fixture
def drawn(whole_course, tmp_path):
    def draw(language="en", name="Ada Lovelace", issuer=False):
        key = make_key(tmp_path / f"issuer-{language}") if issuer else own_key()
        issued = issue(whole_course.assess(), name, key, by_issuer=issuer)
        return issued, page(issued, "certificate-ada.json", language)

    return draw


@pytest.fixture
def scratch():
    """A short path: Chromium keeps a socket among its temporary files."""
    with tempfile.TemporaryDirectory(prefix="s", dir="/tmp") as name:
        yield Path(name)


def text(html):
    """What a reader sees, blanks evened out."""
    return " ".join(re.sub(r"<[^>]+>", " ", html.split("</style>")[1]).split())


def test_it_shows_name_items_points_digests_engine_and_key(drawn):
    issued, html = drawn()
    seen = text(html)
    record = issued.record
    assert "This certifies that Ada Lovelace learner id ada" in seen
    assert all(item.en in seen for item in record.items)
    assert seen.count("18&#8202;/&#8202;20") == 9
    assert "36&#8202;/&#8202;40" in seen
    assert all(one.digest[:8] in seen for one in record.journals)
    assert "engine embedded, Milvus 2.3.5; 11 measurements, 2026-11-20. No simulated run counts." in seen
    assert own_key().public.fingerprint in seen
    assert issued.digest in seen
    assert "halab verify certificate-ada.json" in seen
    assert "nobody else vouches" in seen


def test_an_issuer_s_key_is_named_as_one(drawn):
    _, html = drawn(issuer=True)
    assert "with the key of its issuer" in text(html)
    assert "nobody else vouches" not in html


def test_it_speaks_chinese(drawn):
    _, html = drawn("zh", name="陈晓明")
    seen = text(html)
    assert 'lang="zh-Hans"' in html
    assert "兹证明 陈晓明 学员编号 ada" in seen
    assert "讲得清故障转移的时间线" in seen
    assert "引擎 embedded，Milvus 2.3.5；11 次实测，2026-11-20。模拟运行不计入。" in seen


def test_it_asks_nothing_of_any_network(drawn):
    _, html = drawn()
    assert not re.search(r"(?:https?:)?//\w|url\(|@import|<script|<link|<img", html)


def test_a_name_is_text_and_never_markup(drawn):
    _, html = drawn(name="<b>Ada</b> & $style")
    assert "&lt;b&gt;Ada&lt;/b&gt; &amp; $style" in html
    assert "<b>" not in html


@pytest.mark.browser
@pytest.mark.parametrize(
    ("language", "name"), [("en", "Ada Lovelace"), ("zh", "陈晓明"), ("en", "Long " * 20)]
)
def test_a_browser_prints_it_on_one_sheet_and_leaves_nothing_behind(
    whole_course, monkeypatch, scratch, language, name, real_path
):
    monkeypatch.setenv("PATH", real_path)
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    issued = issue(whole_course.assess(), name, own_key(), by_issuer=False)
    files = save(issued, whole_course.work / "certificates", language)
    assert files.pdf_problem == ""
    assert files.pdf is not None
    content = files.pdf.read_bytes()
    assert content.startswith(b"%PDF")
    assert re.findall(rb"/Count (\d+)", content) == [b"1"]
    assert list(scratch.iterdir()) == []
    assert Certificate.model_validate_json(files.record.read_bytes()) == issued
