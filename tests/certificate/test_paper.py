"""What stands on paper, what an issuer takes back, and until when it is valid."""

import base64
import json
import re
import shutil

import pytest
from playwright.sync_api import expect, sync_playwright

from halab.certificate.assessment import checked_terms, issue
from halab.certificate.certificate_page import page as certificate_page
from halab.certificate.check_page import check_page
from halab.certificate.paper import PREFIX, read_paper
from halab.certificate.record import Terms, read_certificate
from halab.certificate.revocation import revoke
from halab.certificate.signing_keys import make_key
from halab.certificate.verification import verify, verify_paper
from halab.errors import CourseError

TERMS = Terms(organisation="Lake School", person="Dr. Q", hours=12, valid_until="2099-01-31")


@pytest.fixture
def issuer(tmp_path):
    return make_key(tmp_path / "issuer")


@pytest.fixture
def issued(whole_course, issuer):
    return issue(whole_course.assess(), "王伟", issuer, by_issuer=True, terms=TERMS)


@pytest.fixture
def file(issued, tmp_path):
    path = tmp_path / "c.json"
    path.write_text(issued.text())
    return path


def test_paper_alone_says_who_what_and_by_whom_and_is_checked_with_the_key(issued, issuer):
    paper, failures = verify_paper(issued.paper, issuer.public)
    assert failures == []
    said = paper.says
    assert (said["name"], said["id"], said["org"], said["by"]) == ("王伟", "ada", "Lake School", "Dr. Q")
    assert (said["hours"], said["until"], said["key"]) == ("12", "2099-01-31", "issuer")
    assert said["points"].startswith("1:18/20 ")
    assert verify_paper(f"  {issued.paper[:99]}\n{issued.paper[99:]}", issuer.public)[1] == []


def test_another_key_or_another_letter_proves_nothing(issued, issuer, tmp_path):
    assert verify_paper(issued.paper, make_key(tmp_path / "other").public)[1]
    prefix, said, signature = issued.paper.split(".")
    data = json.loads(base64.urlsafe_b64decode(said + "=="))
    forged = base64.urlsafe_b64encode(json.dumps(data | {"name": "Bo"}).encode()).decode().rstrip("=")
    assert verify_paper(".".join((prefix, forged, signature)), issuer.public)[1]


@pytest.mark.parametrize(
    "text", ["", "https://example.org", f"{PREFIX}.e30.AA", f"{PREFIX}.a.b.c", "x" * 9999]
)
def test_what_is_no_certificate_s_qr_is_told(text):
    with pytest.raises(CourseError, match="not what the QR"):
        read_paper(text)


def test_the_page_names_issuer_duration_and_validity_and_draws_the_qr(issued):
    html = certificate_page(issued, "c.json", "en")
    for words in ("by Dr. Q, Lake School", "12 hours", "valid until 2099-01-31", "<figure><svg"):
        assert words in html
    assert "有效期至 2099-01-31" in certificate_page(issued, "c.json", "zh")


def test_what_is_revoked_fails_with_the_reason_and_the_rest_does_not(issued, file, issuer, tmp_path):
    listed = tmp_path / "revoked.json"
    digest = read_paper(issued.paper).says["record"]
    assert revoke(listed, ["0" * 32], "a slip of the pen", issuer) == 1
    (result,) = verify([file], issuer.public, revoked=listed)
    assert result.ok
    assert revoke(listed, [digest], "copied from bo", issuer) == 2
    (result,) = verify([file], issuer.public, revoked=listed)
    assert "copied from bo" in " ".join(result.failures)
    assert "copied from bo" in verify_paper(issued.paper, issuer.public, listed)[1][0]
    listed.write_text(listed.read_text().replace("copied from bo", "nothing"))
    with pytest.raises(CourseError, match="was altered"):
        verify([file], issuer.public, revoked=listed)


def test_a_list_of_another_issuer_is_refused(tmp_path, issuer, file):
    revoke(tmp_path / "theirs.json", ["0" * 32], "x", make_key(tmp_path / "other"))
    with pytest.raises(CourseError, match="not signed with the key"):
        verify([file], issuer.public, revoked=tmp_path / "theirs.json")


def test_a_day_that_is_over_is_told(whole_course, issuer, tmp_path):
    past = issue(
        whole_course.assess(), "", issuer, by_issuer=True, terms=checked_terms("", "", 10, "2020-01-01")
    )
    (tmp_path / "past.json").write_text(past.text())
    (result,) = verify([tmp_path / "past.json"], issuer.public)
    assert "It was valid until 2020-01-01." in result.failures
    assert verify_paper(past.paper, issuer.public)[1] == ["It was valid until 2020-01-01."]


def test_another_record_s_qr_does_not_pass_on_this_one(whole_course, issued, issuer, tmp_path):
    other = issue(whole_course.assess(), "Bo", issuer, by_issuer=True)
    mixed = other.model_copy(update={"paper": issued.paper})
    mixed = mixed.model_copy(update={"signature": issuer.sign(mixed.signed_part())})
    (tmp_path / "mixed.json").write_text(mixed.text())
    assert read_certificate(tmp_path / "mixed.json")[0].record.name == "Bo"
    (result,) = verify([tmp_path / "mixed.json"], issuer.public)
    assert "The QR of its page is not this record's." in result.failures


@pytest.mark.parametrize("terms", [("x" * 300, "", 10, ""), ("a\x1b", "", 10, ""), ("", "", 10, "next year")])
def test_terms_that_cannot_stand_on_a_page_are_told(terms):
    with pytest.raises(CourseError, match="2028-11-30"):
        checked_terms(*terms)


@pytest.mark.browser
def test_a_browser_checks_the_record_and_the_qr_without_any_host(issued, issuer, tmp_path, real_path):
    good, bad = (
        check_page(issued, "en"),
        check_page(issued.model_copy(update={"signature": "A" * 86 + "=="}), "zh"),
    )
    assert not re.search(r"https?:|src=|url\(|import ", good)
    pages = {name: tmp_path / f"{name}.html" for name in ("good", "bad")}
    pages["good"].write_text(good)
    pages["bad"].write_text(bad)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium", path=real_path), args=["--no-sandbox"]
        )
        page = browser.new_page()
        page.goto(pages["good"].as_uri())
        expect(page.locator("#verdict")).to_contain_text("✓ Unaltered")
        expect(page.locator("#record")).to_contain_text("王伟")
        expect(page.locator("#fingerprint")).to_have_text(issuer.public.fingerprint)
        page.locator("#published").fill(issuer.public.fingerprint.upper())
        expect(page.locator("#same")).to_have_text("✓ It is that key.")
        page.locator("#paper").fill(issued.paper)
        page.locator("#check").click()
        expect(page.locator("#paper-verdict")).to_contain_text("✓ Unaltered")
        page.locator("#paper").fill(issued.paper[:-9] + "A" + issued.paper[-8:])
        page.locator("#check").click()
        expect(page.locator("#paper-verdict")).to_contain_text("✗ NOT")
        page.goto(pages["bad"].as_uri())
        expect(page.locator("#verdict")).to_contain_text("✗ 不是")
        expect(page.locator("#record")).to_be_empty()
        browser.close()
