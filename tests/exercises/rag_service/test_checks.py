import json
from dataclasses import replace

import pytest

from halab.course.paths import course_root
from halab.exercises.rag_service import checks
from halab.exercises.rag_service.given import Intake, Shift, Switching
from halab.exercises.rag_service.variant import make_outage, make_twins
from support.answers import hint_of

SOLUTION: dict = {}
NOTEBOOK = course_root() / "solutions" / "12-rag-service" / "12-rag-service.ipynb"
for cell in json.loads(NOTEBOOK.read_text())["cells"]:
    if cell["metadata"].get("nbgrader", {}).get("solution"):
        exec("".join(cell["source"]), SOLUTION)
key, ingest, answer, plan = (SOLUTION[name] for name in ("key", "ingest", "answer", "plan"))

FOLDERS, OUTAGES = checks.make_folders(3), checks.draw(make_outage, 3, 2)
INDEXES, BLIND = checks.make_indexes(3), checks.make_indexes(3, "blind")


@pytest.mark.parametrize("seed", range(6))
def test_the_right_answer_is_right_on_every_seed(seed):
    checks.check_key(key, checks.draw(make_twins, seed, 10))
    for check in (checks.check_once, checks.check_again, checks.check_count):
        check(ingest, checks.make_folders(seed, 5, lossy=check is checks.check_count))
    outages = checks.draw(make_outage, seed, 2)
    for check in (checks.check_honest, checks.check_unanswered, checks.check_load, checks.check_degraded):
        check(answer, outages)
    checks.check_switch(plan, checks.make_indexes(seed))
    checks.check_abort(plan, checks.make_indexes(seed, "any"))
    checks.check_back(plan, checks.make_indexes(seed, "bad"))


def test_a_right_answer_may_ask_later_rest_longer_and_look_first():
    """The figures are wide enough for other settings than the solution's."""

    def patient(state):
        for one in state["requests"]:
            if one["status"] == "waiting" and one["age"] < 400:
                return "wait"
        return answer(state)

    for check in (checks.check_honest, checks.check_unanswered, checks.check_load, checks.check_degraded):
        check(patient, OUTAGES)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda passage: 7, "12.1.key"),
        (lambda passage: "", "12.1.key"),
        (lambda passage: passage["text"], "12.1.key"),
        (lambda passage: str(id(passage)), "12.1.key"),
        (lambda passage: str(hash(tuple(sorted(passage.items())))), "12.1.key"),
        (lambda passage: passage["source"] + passage["heading"] + passage["text"], "12.1.key"),
        (lambda passage: key(passage)[:1], "12.1.key"),
    ],
)
def test_a_wrong_key_gets_its_hint(wrong, hint):
    assert hint_of(checks.check_key, wrong, checks.draw(make_twins, 3, 20)) == hint


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda *_: None, "12.1.call"),
        (lambda *_: {"call": "upsert", "rows": []}, "12.1.call"),
        (lambda passages, heard, most: {"call": "upsert", "rows": passages[:1]}, "12.1.call"),
        (lambda *_: {"call": "present", "keys": []}, "12.1.end"),
        (lambda *_: {"call": "done"}, "12.1.missing"),
    ],
)
def test_a_wrong_ingest_gets_its_hint(wrong, hint):
    assert hint_of(checks.check_once, wrong, FOLDERS) == hint


def test_keys_by_place_replace_what_they_should_not():
    def by_place(passages, heard, most):
        rows = [passage | {"key": str(at)} for at, passage in enumerate(passages)]
        there = next((one["answer"] for one in reversed(heard) if isinstance(one["answer"], list)), None)
        if there is None or heard[-1]["call"]["call"] == "upsert":
            return {"call": "present", "keys": [row["key"] for row in rows]}
        missing = [row for row in rows if row["key"] not in there]
        return {"call": "upsert", "rows": missing[:most]} if missing else {"call": "done"}

    assert hint_of(checks.check_once, by_place, checks.make_folders(3, 12)) in {"12.1.twice", "12.1.missing"}


def test_a_write_that_lands_late_is_doubled_by_an_insert_and_replaced_by_an_upsert():
    for kind, times in (("insert", 2), ("upsert", 1)):
        run = Intake(replace(FOLDERS[0], troubles={}, late=(1,)))
        row = run.documents.passages[0] | {"key": "k"}
        for _ in range(2):
            run.act({"call": kind, "rows": [row]})
        run.act({"call": "present", "keys": ["k"]})
        assert run.heard[-1]["answer"] == ["k"] * times


@pytest.mark.parametrize(
    ("wrong", "check", "hint"),
    [
        (lambda state: None, checks.check_honest, "12.2.action"),
        (lambda state: "answer proxy-1", checks.check_honest, "12.2.action"),
        (lambda state: "give up", checks.check_honest, "12.2.quiet"),
        (lambda state: "wait", checks.check_honest, "12.2.quiet"),
        (
            lambda state: answer(state).replace("degraded s", "answer s"),
            checks.check_honest,
            "12.2.passed-off",
        ),
        (lambda state: answer(state | {"further": 0, "question": 1000}), checks.check_load, "12.2.load"),
        (lambda state: answer(state | {"remembered": False}), checks.check_unanswered, "12.2.unanswered"),
    ],
)
def test_a_wrong_service_gets_its_hint(wrong, check, hint):
    assert hint_of(check, wrong, OUTAGES) == hint


def test_a_service_that_does_not_go_back_to_the_cluster_in_charge_is_told_so():
    def standby_first(state):
        addresses = state["addresses"][:: -1 if state["question"] > 26 else 1]
        return answer(state | {"addresses": addresses})

    assert hint_of(checks.check_degraded, standby_first, OUTAGES) == "12.2.degraded"


def test_an_empty_answer_is_no_answer():
    def gives_what_came(state):
        come = [one["name"] for one in state["requests"] if one["status"] in ("answered", "empty")]
        return f"answer {come[0]}" if come else answer(state)

    empty = next(one for one in checks.draw(make_outage, 1, 30) if "the cluster finds nothing" in one.faults)
    assert hint_of(checks.check_honest, gives_what_came, [empty]) in {"12.2.empty", "12.2.passed-off"}
    assert hint_of(checks.check_unanswered, gives_what_came, [empty]) == "12.2.unanswered"


def test_a_question_goes_from_asked_to_answered_in_its_own_time():
    run = Shift(OUTAGES[0])
    run.act("ask proxy-1")
    assert [one["status"] for one in run.state()["requests"]] == ["waiting"]
    run.act("wait")
    assert run.state()["left"] < 1000
    run.act("ask standby")
    assert run.state()["further"] == 1
    assert run.broke == {"load"}


@pytest.mark.parametrize(
    ("wrong", "check", "hint"),
    [
        (lambda state: None, checks.check_switch, "12.3.action"),
        (lambda state: "switch", checks.check_switch, "12.3.action"),
        (lambda state: "wait", checks.check_switch, "12.3.end"),
        (lambda state: "done", checks.check_switch, "12.3.watched"),
        (lambda state: "abort", checks.check_switch, "12.3.early"),
        (lambda state: "abort", checks.check_abort, "12.3.early"),
        (lambda state: plan(state | {"least": 0}), checks.check_abort, "12.3.ready"),
        (lambda state: plan(state | {"watch": 0}), checks.check_switch, "12.3.watched"),
        (lambda state: plan(state | {"most_bad": 99}), checks.check_back, "12.3.back"),
    ],
)
def test_a_wrong_switch_gets_its_hint(wrong, check, hint):
    indexes = {
        checks.check_switch: INDEXES,
        checks.check_abort: BLIND,
        checks.check_back: checks.make_indexes(3, "bad"),
    }
    assert hint_of(check, wrong, indexes[check]) == hint


def test_documents_that_come_in_meanwhile_make_a_new_index_incomplete():
    run = Switching(INDEXES[0])
    for action in ("make", "fill", "fill"):
        run.act(action)
    first = run.state()["passages"]
    for _ in range(6):
        run.act("wait")
    assert run.state()["b"]["rows"] < run.state()["passages"]
    assert first <= run.state()["passages"]
