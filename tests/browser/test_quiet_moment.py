"""The offer below a run that a busy machine spoiled, pressed; and the wait that it brings, stopped."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

# As a lab's run does it, on a machine that is busy for as long as the cell says so.
CELLS = (
    "from halab.measure.probing import quiet_moment\n"
    "quiet_moment.busy_machine = lambda journal: ('busy',)\n"
    "quiet_moment.QUIET = 0.0",
    "quiet_moment.wait_if_spoiled()\nquiet_moment.note_spoiled(None)\nprint('the run', 'was made')",
)


def test_the_offer_runs_the_cell_again_and_its_wait_can_be_stopped(lab_with, chromium_page):
    notebook = lab_with({"quiet": CELLS}).open_notebook(chromium_page, "quiet.ipynb")
    notebook.run_all()
    offer = notebook.panel.get_by_role("button", name="Run again when the machine is quiet")
    expect(offer).to_have_count(1)
    expect(notebook.panel.get_by_text("the run was made")).to_have_count(1)
    notebook.screenshot("quiet-moment-offer")

    offer.focus()
    chromium_page.keyboard.press("Enter")
    stop = notebook.panel.get_by_role("button", name="Stop waiting")
    expect(stop).to_have_count(1)
    expect(notebook.panel.get_by_text("In the last second some task waited")).to_have_count(1)
    expect(notebook.panel.get_by_text("the run was made")).to_have_count(0)
    notebook.screenshot("quiet-moment-wait")

    stop.click()
    expect(notebook.panel.get_by_text("the wait for a quiet moment was stopped")).to_have_count(1)
    expect(stop).to_have_count(0)
