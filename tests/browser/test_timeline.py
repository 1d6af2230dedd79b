"""The failover timeline in JupyterLab, as a learner uses it."""

import json
import random

import pytest
from playwright.sync_api import Page, expect

from halab.models.failover import CARD, PHASES
from halab.widgets import timeline

pytestmark = pytest.mark.browser

CELLS = [
    "from halab.models.failover import MILVUS",
    "from halab.sim.failover_requests import simulate",
    "from halab.widgets.timeline import FailoverTimeline, lane",
    # A stand-in for a learner's journal: its lane must wear the word it is given.
    "run = simulate(MILVUS, at=5, end=25, seed=4)",
    "widget = FailoverTimeline(lanes=[lane('My crash', run.samples, at=5, simulated=False)])",
    "widget",
]
COUNT_FRAMES = """
window.frames_asked = 0;
const ask = window.requestAnimationFrame.bind(window);
window.requestAnimationFrame = (callback) => { window.frames_asked += 1; return ask(callback); };
"""


@pytest.fixture(scope="module")
def lab(lab_with):  # type: ignore[no-untyped-def]
    return lab_with({"timeline": ["\n".join(CELLS)]})


@pytest.fixture
def notebook(lab, chromium_page: Page):  # type: ignore[no-untyped-def]
    chromium_page.add_init_script(COUNT_FRAMES)
    notebook = lab.open_notebook(chromium_page, "timeline.ipynb")
    notebook.run_all()
    chromium_page.wait_for_selector(".halab-timeline")
    return notebook


def time_shown(page: Page) -> float:
    return float(page.locator(".halab-timeline-axis").get_attribute("aria-valuenow") or "nan")


def frames_asked(page: Page, seconds: float) -> int:
    """Animation frames asked for by anything in the page; now and then JupyterLab itself needs one."""
    before = page.evaluate("window.frames_asked")
    page.wait_for_timeout(seconds * 1000)
    return int(page.evaluate("window.frames_asked")) - int(before)


def test_it_plays_pauses_and_rests(notebook) -> None:  # type: ignore[no-untyped-def]
    page: Page = notebook.page
    play = page.locator(".halab-timeline-play")
    expect(play).to_have_text("Play")
    page.locator(".halab-timeline-speed select").select_option("4")
    play.click()
    page.wait_for_function(
        "Number(document.querySelector('.halab-timeline-axis').getAttribute('aria-valuenow')) > 1"
    )
    expect(page.locator(".halab-timeline")).to_have_attribute("data-playing", "true")
    play.click()
    paused = time_shown(page)
    assert paused < 15
    page.wait_for_timeout(500)
    assert time_shown(page) == paused
    assert any(frames_asked(page, 1.0) == 0 for _ in range(5)), "frames are asked for while nothing plays"
    play.click()
    expect(page.locator(".halab-timeline")).to_have_attribute("data-playing", "false", timeout=20_000)
    assert time_shown(page) == 15
    expect(page.locator(".halab-timeline-beat")).to_contain_text(
        "The outage took 12.0 s; at 2 requests a second, 24 failed"
    )


def test_it_is_scrubbed_by_mouse_and_by_keyboard(notebook) -> None:  # type: ignore[no-untyped-def]
    page: Page = notebook.page
    axis = page.locator(".halab-timeline-axis")
    box = axis.bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.3, middle)
    page.mouse.down()
    early = time_shown(page)
    page.mouse.move(box["x"] + box["width"] * 0.7, middle, steps=5)
    page.mouse.up()
    late = time_shown(page)
    assert -2 < early < late < 15
    expect(axis).to_be_focused()
    page.keyboard.press("Home")
    assert time_shown(page) == -2
    page.keyboard.press("ArrowRight")
    assert time_shown(page) == -1.5
    page.keyboard.press("Shift+ArrowLeft")
    assert time_shown(page) == pytest.approx(-1.6)
    for beat in CARD.timeline():
        page.keyboard.press("PageUp")
        assert time_shown(page) == beat.at
    expect(page.locator(".halab-timeline-beat")).to_contain_text("The clients are back")
    page.keyboard.press("PageDown")
    assert time_shown(page) == 10
    page.keyboard.press("End")
    assert time_shown(page) == 15
    page.keyboard.press("Space")
    expect(page.locator(".halab-timeline")).to_have_attribute("data-playing", "true")
    page.keyboard.press("Space")
    expect(page.locator(".halab-timeline")).to_have_attribute("data-playing", "false")
    assert axis.evaluate("(e) => getComputedStyle(e).outlineStyle") == "solid"
    # The arrow keys were the widget's: JupyterLab has neither moved nor made a cell.
    assert page.locator(".jp-Cell").count() == 1


def test_a_slider_follows_the_arrow_keys(notebook) -> None:  # type: ignore[no-untyped-def]
    page: Page = notebook.page
    slider = page.locator('.halab-slider input[name="misses"]')
    before = float(slider.input_value())
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert float(slider.input_value()) > before
    page.keyboard.press("ArrowDown")
    assert float(slider.input_value()) == before
    expect(slider).to_be_focused()


def test_a_slider_redraws_at_once_and_the_kernel_follows(notebook) -> None:  # type: ignore[no-untyped-def]
    page: Page = notebook.page
    yours = page.locator('[data-lane="yours"] .halab-timeline-sum')
    simulated = page.locator('[data-lane="simulated"] .halab-timeline-sum')
    expect(yours).to_contain_text("back after 12.0 s")
    was = simulated.inner_text()
    redrawn = page.evaluate(
        """() => {
          const input = document.querySelector('.halab-slider input[name="misses"]');
          input.value = 5;
          input.dispatchEvent(new Event('input'));
          return document.querySelector('[data-lane="yours"] .halab-timeline-sum').textContent;
        }"""
    )
    assert "back after 14.0 s" in redrawn
    expect(simulated).to_contain_text("waiting for the kernel")
    expect(simulated).to_contain_text("back after", timeout=10_000)
    assert simulated.inner_text() != was


def test_lanes_can_be_taken_away_and_say_what_they_are(notebook) -> None:  # type: ignore[no-untyped-def]
    page: Page = notebook.page
    badges = page.locator(".halab-timeline-lane .halab-timeline-badge").all_inner_texts()
    assert badges == ["card", "formula", "simulated", "measured"]
    mine = page.locator('[data-lane="lane-0"]')
    expect(mine).to_contain_text("My crash")
    expect(mine).to_contain_text("search back after")
    expect(mine.locator("svg")).to_have_count(1)
    mine.locator("input").uncheck()
    expect(mine.locator("svg")).to_have_count(0)
    mine.locator("input").check()
    expect(mine.locator("svg")).to_have_count(1)


def test_who_asked_for_less_motion_gets_beats(notebook) -> None:  # type: ignore[no-untyped-def]
    page: Page = notebook.page
    page.emulate_media(reduced_motion="reduce")
    page.locator(".halab-timeline-axis").press("Home")
    expect(page.locator(".halab-timeline-play")).to_have_text("Next step")
    page.locator(".halab-timeline-play").click()
    assert time_shown(page) == 0
    expect(page.locator(".halab-timeline")).to_have_attribute("data-playing", "false")
    page.locator(".halab-timeline-play").click()
    assert time_shown(page) == 3


def test_nothing_overlaps_or_overflows_in_any_theme_or_width(notebook) -> None:  # type: ignore[no-untyped-def]
    page: Page = notebook.page
    page.set_viewport_size({"width": 1280, "height": 1500})
    for kind, detector in (("crash", "heartbeats"), ("hang", "lease")):
        page.locator(f".halab-timeline-radios input[value={kind}]").check()
        page.locator(f".halab-timeline-radios input[value={detector}]").check()
        for theme in ("JupyterLab Light", "JupyterLab Dark"):
            notebook.theme(theme)
            for width in (900, 600):
                resize(page, width)
                page.locator(".halab-timeline-axis").press("Home")
                for beat in range(8):
                    assert page.evaluate(OVERLAPS) == [], (kind, theme, width, beat)
                    page.locator(".halab-timeline-axis").press("PageUp")
                    if beat == 2:
                        page.locator(".halab-timeline-axis").press("ArrowRight")
                        name = f"timeline-{kind}-{theme.split()[1].lower()}-{width}"
                        notebook.screenshot(name, ".halab-timeline")
                        page.locator(".halab-timeline-axis").press("ArrowLeft")


def resize(page: Page, width: int) -> None:
    page.evaluate("(w) => { document.querySelector('.halab-host').style.width = `${w}px`; }", width)
    page.wait_for_function(
        """() => document.querySelector('.halab-timeline-scene').viewBox.baseVal.width
                 === document.querySelector('.halab-timeline-tracks').clientWidth"""
    )


OVERLAPS = """() => {
  const found = [];
  const root = document.querySelector('.halab-timeline-tracks').getBoundingClientRect();
  const watcher = document.querySelector('.halab-timeline-watcher').getBoundingClientRect();
  for (const text of document.querySelectorAll('.halab-timeline-state, .halab-note')) {
    const box = text.getBoundingClientRect();
    if (box.left > watcher.left && box.right > watcher.right - 4) found.push(`watcher: ${text.textContent}`);
  }
  for (const svg of document.querySelectorAll('.halab-timeline svg')) {
    const texts = [...svg.querySelectorAll('text')].filter((text) => text.textContent);
    const boxes = texts.map((text) => text.getBoundingClientRect());
    boxes.forEach((a, i) => {
      if (a.left < root.left || a.right > root.right) found.push(`outside: ${texts[i].textContent}`);
      boxes.slice(i + 1).forEach((b, j) => {
        if (a.left < b.right && b.left < a.right && a.top + 2 < b.bottom && b.top + 2 < a.bottom)
          found.push(`${texts[i].textContent} / ${texts[i + 1 + j].textContent}`);
      });
    });
  }
  return found;
}"""


def random_controls(rng: random.Random) -> dict[str, object]:
    return {
        "detector": rng.choice(["heartbeats", "lease"]),
        "interval": rng.uniform(0.1, 10),
        "misses": rng.randint(1, 10),
        "timeout": rng.uniform(0, 10),
        "ttl": rng.uniform(2, 60),
        **{name: rng.uniform(0, 10) for name in ("election", "takeover", "reconnect", "restart")},
        "connection": rng.uniform(0, 40),
        "revokes": rng.random() < 0.5,
        "kind": rng.choice(["crash", "hang", "stop", "restart"]),
        "phase": rng.random(),
        "attempts": rng.randint(1, 10),
        "base": rng.uniform(0, 2),
        "cap": rng.uniform(0, 5),
        "retry_deadline": rng.uniform(0, 20),
        "rate": rng.uniform(0.5, 20),
        "deadline": rng.uniform(0, 3),
    }


def test_the_browser_and_python_compute_the_same(chromium_page: Page) -> None:
    rng = random.Random(6)
    settings = [random_controls(rng) for _ in range(200)]
    drawn = chromium_page.evaluate(
        """async ([source, settings]) => {
          const module = await import(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })));
          return settings.map((s) => {
            const marks = module.closedForm(s);
            const counts = module.failedAndLate(s, marks.back);
            return [module.PHASES.map((key) => marks[key]), Object.values(counts)];
          });
        }""",
        [timeline.FailoverTimeline._esm, json.loads(json.dumps(settings))],
    )
    for controls, (marks, fate) in zip(settings, drawn, strict=True):
        expected = timeline.closed_form(controls)
        assert marks == pytest.approx([getattr(expected, key) for key in PHASES])
        assert fate == pytest.approx(list(timeline.failed_and_late(controls, expected.outage)))
