import httpx
import pytest

from halab.rag.documents import Passage
from halab.rag.local_passages import LocalPassages
from halab.rag.protections import Protections
from halab.rag.question_page import serve_questions
from halab.rag.question_service import QuestionService
from halab.rag.vectors import LexicalVectors
from support.fake_passages import PASSAGES, FakeAddress


class Model:
    def answer(self, question, passages):
        return f"In the kitchen [1] <{question}>"


@pytest.fixture
def address():
    return FakeAddress()


@pytest.fixture
def page(address):
    local = LocalPassages(PASSAGES)
    service = QuestionService(
        [address], LexicalVectors(local.rarity), local, Protections(deadline=0.5, attempts=1)
    )
    with serve_questions(service, model=Model()) as url, httpx.Client(base_url=url) as client:
        yield client


def test_the_page_speaks_the_readers_language_and_shows_sources(page):
    english = page.get("/", params={"q": "tea <b>"})
    assert '<html lang="en">' in english.text
    assert "notes/a.md" in english.text
    assert "In the kitchen [1] &lt;tea &lt;b&gt;&gt;" in english.text
    assert "<b>" not in english.text
    assert "role=" not in english.text.split("</form>")[1]
    chinese = page.get("/", headers={"Accept-Language": "zh-CN,zh;q=0.9"}).text
    assert '<html lang="zh-Hans">' in chinese
    assert "你的问题" in chinese


def test_a_degraded_answer_is_said_to_be_one(page, address):
    address.behave = (None, "UNAVAILABLE: gone")
    assert "Degraded answer:</strong> found by keywords" in page.get("/", params={"q": "tea"}).text
    chinese = page.get("/", params={"q": "tea"}, headers={"Accept-Language": "zh"}).text
    assert "降级的回答：</strong> 集群都没有回应" in chinese
    told = page.get("/ask", params={"q": "tea"}).json()
    assert (told["degraded"], "gone" in told["why"]) == ("keywords", True)
    assert "No answer:" in page.get("/", params={"q": "zzz"}).text
    refused = page.get("/ask", params={"q": "zzz"})
    assert (refused.status_code, "not answered" in refused.json()["error"]) == (503, True)


def test_markdown_is_laid_out_and_its_html_and_images_are_not_let_through(page, address):
    wild = "- **tea** <script>x</script>\n- ![i](http://far.example/i.png)"
    address.behave = ([Passage("notes/a.md", "Tea", wild), Passage("notes/a.txt", "Tea", wild)], "")
    markdown, text = page.get("/", params={"q": "tea"}).text.split("<article>")[1:]
    assert "<li><strong>tea</strong> &lt;script&gt;" in markdown
    assert "<img" not in markdown
    assert "- **tea** &lt;script&gt;" in text


def test_readiness_and_metrics_are_there_for_programs(page, address):
    assert page.get("/ready").status_code == 200
    address.behave = ([], "")
    unready = page.get("/ready")
    assert (unready.status_code, "found nothing" in unready.text) == (503, True)
    assert "halab_rag_requests_total" in page.get("/metrics").text
    assert page.get("/ask").status_code == 404
