"""Lessons 3 to 5 and 7 to 10 in JupyterLab, simulated; tests/notebooks runs them on the real cluster."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

# By lesson: its first widget and what it says when nothing but it was run; then cells and what their outputs
# say; then what the card says of the measurements in the end.
LESSONS = {
    "03-architecture": (
        (".halab-arch-status", "nothing runs yet"),
        {
            "read_sessions(cluster)": "SIMULATED",
            "show_run(two": "Metadata calls were back",
            "can_decide(3, lost": "SIMULATED",
            "compare_parts(standby": "crash etcd follower",
            "retriever.set_replicas(4)": "querynode-4",
        },
        "crash active rootcoord",
    ),
    "04-writing": (
        (".halab-write-said", "Press Write one row"),
        {
            "straggling(0.01": "2.97%",
            "show_costs(written)": "SIMULATED",
            "compare_writes(written)": "+20 %",
            "median(copied)": "SIMULATED",
        },
        "1000 rows",
    ),
    "05-reading": (
        (".halab-balancer-said", "Press Race"),
        {
            "show_scaling(shared)": "SIMULATED",
            "show_law(limited)": "SIMULATED",
            "law.contention": "SIMULATED",
            "balancer_here(cluster) else": "A balancer is not simulated",
            "compare_reads(shared, limited)": "x 2.8",
        },
        "280 a second",
    ),
    "07-rto-rpo": (
        (".halab-recovery-verdict", "Cheapest that fits"),
        {
            'disaster(cluster, "log"': "No row was counted",
            "achieved(rpo, data_node, query_node": "not counted",
            "compare_losses(data_node": "crash every Milvus process",
            "show_disaster(everything)": "Simulated.",
            "Periodic(interval=600": "At least 5 s of data",
        },
        "not comparable here",
    ),
    "08-safety": (
        (".halab-protect-summary", "of 8 answered"),
        {
            "compare_mistakes(deleted": "not counted",
            "show_mistake(deleted)": "Simulated.",
            "backups_to_keep(range(365))": "the oldest is 305 days old",
        },
        "24 h",
    ),
    "09-health-checks": (
        (".halab-tuner-yaml", "livenessProbe"),
        {
            "what_followed(crash)": "SIMULATED",
            "compare_detection(crash": "SIMULATED",
            "compare_restarts(tight": "SIMULATED",
            "compare_outage_checks(log)": "SIMULATED",
        },
        "noticed after",
    ),
    "10-drill": (
        ("button", "Run"),
        {
            "show_drill(drill)": "The steps were gone through",
            "verdict(lesson.step_results": "SIMULATED",
            "questions(drill)": "SIMULATED",
            "compare_drill(drill)": "SIMULATED",
        },
        "The recovery drill",
    ),
}
PICTURES = {"10-drill": ["drill.report.picture()"]}


@pytest.mark.parametrize("slug", LESSONS)
def test_the_lesson_is_played_measured_and_compared(slug: str, open_lesson: Callable[[str], Any]) -> None:
    (widget, says), outputs, compared = LESSONS[slug]
    number, lesson = slug[:2], open_lesson(slug)
    lesson.run_next(2)  # the title and the widget: two presses of Shift+Enter
    expect(lesson.panel.locator(f".jp-OutputArea {widget}").first).to_contain_text(says)
    lesson.screenshot(f"lesson-{number}-start")
    lesson.run_all(timeout=240)
    for source, words in outputs.items():
        lesson.shows(source, words, f"lesson-{number}-{'-'.join(re.findall('[a-z]+', source)[:2])}")
    for source in PICTURES.get(slug, ()):
        picture = lesson.cell(source).locator("svg[role='img']")
        expect(picture).to_have_attribute("aria-label", re.compile("SIMULATED"))
        lesson.screenshot(f"lesson-{number}-picture", picture)
    expect(lesson.cell(f"show_card({int(number)}, measured")).to_contain_text(compared)
