"""The workshop's slides: keys turn them, and the speaker's window goes along."""

from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from halab.classroom.slides import write_slides

pytestmark = pytest.mark.browser

FITS = """() => {
  const slide = document.querySelector("section.here .slide");
  return slide.scrollHeight <= slide.clientHeight + 1 && slide.scrollWidth <= slide.clientWidth + 1;
}"""


def test_keys_turn_slides_that_fit_and_the_speaker_s_window_goes_along(
    chromium_context: BrowserContext, tmp_path: Path
) -> None:
    page = chromium_context.new_page()
    page.set_viewport_size({"width": 1280, "height": 720})
    for file in write_slides(tmp_path):
        page.goto(file.as_uri())
        last = page.locator("section").count()
        for number in range(1, last + 1):
            assert page.locator("#place").inner_text() == f"{number} / {last}"
            assert page.evaluate(FITS), (file.name, number)
            page.keyboard.press("ArrowRight")
    page.goto((tmp_path / "slides-en.html").as_uri() + "#1")  # whose texts are longer
    assert not page.locator("section.here aside").is_visible()
    page.keyboard.press("n")
    assert page.locator("section.here aside").is_visible()
    with page.expect_popup() as opened:
        page.keyboard.press("s")
    speaker = opened.value
    speaker.get_by_text(f"1 / {last}").wait_for()
    for number in range(1, last + 1):
        assert speaker.evaluate(FITS), number
        speaker.keyboard.press("ArrowRight")
    footer, notes = speaker.locator("footer").bounding_box(), speaker.locator("section.here").bounding_box()
    assert footer
    assert notes
    assert notes["y"] + notes["height"] <= footer["y"]
    speaker.keyboard.press("End")
    page.get_by_text(f"{last} / {last}").wait_for()
