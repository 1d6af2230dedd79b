"""A drill's report and its calendar, without a cluster."""

import json
from dataclasses import replace
from datetime import date

import pytest

from halab.errors import DrillError
from halab.measure.journal.journal_file import Header, Journal
from halab.models.samples import Outcome, Sample
from halab.protect.drill.drill_calendar import icalendar, save_calendar
from halab.protect.drill.drill_report import DrillReport
from halab.protect.drill.runbook import Facts, Record, State, Targets

NAMES = ("backup", "standby", "loss", "failover", "service", "measure", "figures", "failback")
PASSED = {"rto": 20.0, "rpo": 4.0, "rpo_rows": 78, "read_only": 5.6, "lost_at_home": 0}


def made(statuses=("done",) * 8, measured=PASSED, targets=Targets(60, 60), note="all | is <b>well</b>"):
    records = [
        Record(name, name.title(), "halab", 30.0, status, float(at), at + 1.0, note)
        if status != "waiting"
        else Record(name, name.title(), "halab", 30.0)
        for at, (name, status) in enumerate(zip(NAMES, statuses, strict=True))
    ]
    facts = Facts(targets=targets, **measured)
    return DrillReport.of(State("Drill", "2026-11-25T12:00:00+00:00", 0.0, records, facts))


def test_a_drill_that_passed_says_its_figures_everywhere():
    report = made()
    assert report.verdict == "Passed, and both targets were met."
    assert (report.wrong, len(report.actions)) == ([], 1)
    for text in (repr(report), report._repr_html_(), report.markdown(), report.page()):
        assert "20.0 s" in text
        assert "78 rows" in text
        assert "missing after the way home: 0" in text
    told = json.loads(report.json())
    assert (told["rto"], told["rpo_rows"], len(told["steps"])) == (20.0, 78, 8)


def test_what_was_found_is_text_in_the_page_and_one_cell_in_the_table():
    report = made()
    assert "<b>" not in report.page()
    rows = [line for line in report.markdown().splitlines() if line.startswith("| 1 ")]
    assert rows[0].replace("\\|", "").count("|") == 8


def test_a_target_that_is_missed_is_wrong_and_has_an_action():
    report = made(targets=Targets(rto=10, rpo=60))
    assert report.verdict == "Passed, with targets missed."
    assert report.wrong == ["RTO 20.0 s, target 10 s"]
    assert "rehearse again" in report.actions[0]


@pytest.mark.parametrize(
    ("statuses", "verdict", "action"),
    [
        (("refused",) + ("waiting",) * 7, "before any harm", "Repair the backup"),
        (("undone",) * 3 + ("failed",) + ("waiting",) * 4, "was rolled back", "held the failover up"),
        (
            ("undone",) * 4 + ("failed",) + ("waiting",) * 3,
            "was rolled back",
            "which operation stayed broken",
        ),
        (("done",) * 7 + ("failed",), "the standby stays in charge", "Bring the rows home"),
        (("undone", "undone") + ("waiting",) * 6, "cut off and rolled back", "what cut the drill off"),
    ],
)
def test_a_drill_that_did_not_pass_says_where_it_ended_and_what_to_do(statuses, verdict, action):
    report = made(statuses, {})
    assert report.verdict.startswith("Not passed")
    assert verdict in report.verdict
    assert action in report.actions[0]
    assert "not measured" in repr(report)


def test_every_file_is_written_and_the_page_needs_no_other(tmp_path):
    files = made().save(tmp_path)
    assert all(path.stat().st_size > 100 for path in files)
    page = (tmp_path / "report.html").read_text()
    assert "data:image/png;base64," in page
    assert 'src="http' not in page


def test_the_calendar_has_the_drills_of_a_year_in_lines_that_are_short_enough(tmp_path):
    name = "搜索; the index, and all that hangs on it, with a name that is long"
    text = save_calendar(tmp_path / "drills.ics", name, "critical", date(2026, 11, 30)).read_bytes().decode()
    assert [line for line in text.split("\r\n") if line.startswith("DTSTART")] == [
        f"DTSTART;VALUE=DATE:{day}" for day in ("20261130", "20270228", "20270530", "20270830")
    ]
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    unfolded = text.replace("\r\n ", "")
    assert "SUMMARY:Recovery drill: 搜索\\; the index\\, and all" in unfolded
    assert unfolded.count("BEGIN:VALARM") == 4
    assert len({line for line in unfolded.split("\r\n") if line.startswith("UID")}) == 4


def test_a_calendar_of_nothing_or_of_another_importance_is_refused():
    with pytest.raises(DrillError, match="needs the name"):
        icalendar(" ", "critical", date(2026, 1, 1))
    with pytest.raises(DrillError, match="importance must be one of"):
        icalendar("search", "urgent", date(2026, 1, 1))


def test_figures_stand_beside_their_targets_and_what_users_met_beside_them():
    names = ("search", "insert")
    header = Header(
        "lab", "embedded", "small", 10.0, {}, 0, {}, "2026-11-25T12:00:00+00:00", 10.0, 1.0, names,
        dict.fromkeys(names, 1.0), False,
    )  # fmt: skip
    samples = [
        Sample(name, n, float(n), n, n, Outcome.OK if n % 5 or name == "insert" else Outcome.FAIL)
        for name in names
        for n in range(10)
    ]
    report = replace(made(targets=Targets(rto=10, rpo=60)), journal=Journal.write(header, samples=samples))
    lines = report.markdown().splitlines()
    assert "| RTO, loss to verified service | 20.0 s | 10 s | MISSED |" in lines
    assert "| RPO, writes lost at the failover | 4.0 s | 60 s | met |" in lines
    assert "| search | 10 | 2 | 0 |" in lines
    told = json.loads(report.json())
    assert told["users"][0] == {"client": "search", "sent": 10, "bad": 2, "degraded": 0}
    assert "search: 2 of 10 without a good answer" in report.page()
    assert report.picture().axes


def test_a_drill_that_was_cut_off_is_said_under_what_went_wrong():
    assert made(("undone",) + ("waiting",) * 7, {}).wrong == ["It was cut off and rolled back."]


def test_the_page_prints(tmp_path):
    page = made().page()
    assert "@media print" in page
    assert 'alt="Time line of the drill.' in page
