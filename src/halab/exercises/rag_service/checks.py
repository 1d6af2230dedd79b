"""What exercise 12 expects of a learner's work, one function a graded cell.

Each raises CheckFailed with the behaviour that was expected. The visible tests call them with the
learner's own numbers, the hidden ones with others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from halab.exercises.expectations import call_many, expect
from halab.exercises.learner_numbers import draw
from halab.exercises.rag_service.given import Documents, Index, Intake, Outage, Passage, Shift, Switching
from halab.exercises.rag_service.variant import make_documents, make_index
from halab.tables import Table
from halab.translation import gettext

__all__ = [
    "check_abort",
    "check_again",
    "check_back",
    "check_count",
    "check_degraded",
    "check_honest",
    "check_key",
    "check_load",
    "check_once",
    "check_switch",
    "check_unanswered",
    "draw",
    "make_folders",
    "make_indexes",
    "watch",
]

Function = Callable[..., Any]
_MOST_CALLS = 120  # calls after which an ingest is going round in circles
_MOST_ACTIONS = 40  # actions for one question
_MOST_STEPS = 80  # steps of a switch


class _Played(Protocol):
    @property
    def ended(self) -> bool: ...
    def state(self) -> Any: ...
    def knows(self, action: Any) -> bool: ...
    def act(self, action: Any) -> None: ...


Run = TypeVar("Run", bound=_Played)


# -- an ingest ----------------------------------------------------------------------------------------------


def make_folders(seed: int, count: int = 3, lossy: bool = False) -> list[Documents]:
    """Folders to take in, drawn from a seed; in a lossy one the log loses batches too."""
    return draw(lambda rng: make_documents(rng, lossy), seed, count)


def check_key(key: Function, pairs: Sequence[tuple[Passage, Passage]]) -> None:
    """A key is made of the passage: the same for the same one, another for another."""
    passages = [passage for pair in pairs for passage in pair]
    passages += [pairs[0][0] | {part: "another"} for part in ("source", "heading", "text")]
    backwards = [dict(reversed(passage.items())) for passage in reversed(passages)]
    # First, and the other way round: what counts, draws or remembers has another key there.
    elsewhere = call_many(key, ((dict(passage),) for passage in reversed(passages)), elsewhere=True)
    keys = call_many(key, ((dict(passage),) for passage in passages))
    again = call_many(key, ((passage,) for passage in backwards))
    expect(
        all(isinstance(each, str) and 0 < len(each) <= 64 for each in keys),
        gettext("A key is a text of 1 to 64 characters."),
        "12.1.key",
    )
    expect(
        keys == again[::-1],
        gettext("The same passage has the same key, whenever it is asked for."),
        "12.1.key",
    )
    expect(
        keys == elsewhere[::-1],
        gettext("In another process, too, the same passage has the same key; Python's `hash` differs there."),
        "12.1.key",
    )
    wanted = {tuple(passage.values()) for passage in passages}
    expect(
        len(set(keys)) == len(wanted),
        gettext(
            "Passages that differ in source, heading or text have different keys, wherever their "
            "parts are cut."
        ),
        "12.1.key",
    )


def check_once(ingest: Function, folders: Sequence[Documents]) -> None:
    """Each passage once, though writes time out, land late, and the program is killed."""
    for run in _intakes(ingest, folders):
        _expect_whole(run)


def check_again(ingest: Function, folders: Sequence[Documents]) -> None:
    """What was there when the program started is not written again."""
    for run in _intakes(ingest, folders):
        expect(
            "again" not in run.broke,
            gettext("An ingest that is begun again asks what is there, and writes only what is not."),
            "12.1.again",
        )
        _expect_whole(run)


def check_count(ingest: Function, folders: Sequence[Documents]) -> None:
    """The rows are counted before it is done, since a log can lose what it has acknowledged."""
    for run in _intakes(ingest, folders):
        expect(
            "missing" not in run.broke,
            gettext(
                "An ingest is done when it has seen every passage there, and not when every batch "
                "was acknowledged."
            ),
            "12.1.count",
        )
        _expect_whole(run)


def _intakes(ingest: Function, folders: Sequence[Documents]) -> list[Intake]:
    return _play(
        ingest,
        [Intake(folder) for folder in folders],
        _MOST_CALLS,
        (gettext("The answer is a call as the text has them, with 1 to `most` rows."), "12.1.call"),
        (gettext("An ingest comes to an end."), "12.1.end"),
    )


def _expect_whole(run: Intake) -> None:
    expect("twice" not in run.broke, gettext("In the end no passage is there twice."), "12.1.twice")
    expect(
        not run.broke & {"missing", "foreign"},
        gettext("In the end every passage is there, as it stands in its document."),
        "12.1.missing",
    )


# -- a service under faults ---------------------------------------------------------------------------------


def check_honest(answer: Function, outages: Sequence[Outage]) -> None:
    """Nothing is passed off as something better."""
    for run in _shifts(answer, outages):
        expect(
            "passed-off" not in run.broke,
            gettext("What the standby says is degraded: its passages may be older."),
            "12.2.passed-off",
        )
        expect(
            "empty" not in run.broke,
            gettext("An answer without a passage is no answer, and nor is none."),
            "12.2.empty",
        )
        _expect_quiet(run)


def check_unanswered(answer: Function, outages: Sequence[Outage]) -> None:
    """The budget of unanswered questions."""
    for run in _shifts(answer, outages):
        _expect_answered(run)


def check_load(answer: Function, outages: Sequence[Outage]) -> None:
    """The further requests, by a service that keeps its budget of unanswered questions."""
    for run in _shifts(answer, outages):
        expect(
            "load" not in run.broke,
            gettext("Further requests are never more than `extra` for each question asked so far."),
            "12.2.load",
        )
        _expect_answered(run)


def check_degraded(answer: Function, outages: Sequence[Outage]) -> None:
    """A good answer where there is one."""
    for run in _shifts(answer, outages):
        _expect_answered(run)
        expect(
            run.fates.count("degraded") <= run.outage.most_degraded,
            gettext("Where the cluster in charge can answer, nearly every answer is its own."),
            "12.2.degraded",
        )


def watch(answer: Function, outage: Outage) -> Table:
    """What becomes of the questions of an outage, by fault. Raises CheckFailed for what is no action."""
    return _shifts(answer, [outage])[0].table


def _shifts(answer: Function, outages: Sequence[Outage]) -> list[Shift]:
    return _play(
        answer,
        [Shift(outage) for outage in outages],
        _MOST_ACTIONS * max(len(outage.replies) for outage in outages),
        (gettext("The answer is an action that can be taken then, for every state."), "12.2.action"),
        (gettext("Every question comes to an end."), "12.2.end"),
    )


def _expect_quiet(run: Shift) -> None:
    expect(
        "quiet" not in run.broke,
        gettext("As long as nothing is broken, every question gets a good answer."),
        "12.2.quiet",
    )


def _expect_answered(run: Shift) -> None:
    _expect_quiet(run)
    expect(
        run.fates.count("unanswered") <= run.outage.most_unanswered,
        gettext("A question goes unanswered only if no address answers it and there is no last good answer."),
        "12.2.unanswered",
    )


# -- a second index -----------------------------------------------------------------------------------------


def make_indexes(seed: int, trouble: str = "", count: int = 4) -> list[Index]:
    """Indexes to be made, drawn from a seed."""
    return draw(lambda rng: make_index(rng, trouble), seed, count)


def check_switch(plan: Function, indexes: Sequence[Index]) -> None:
    """Where nothing is wrong: verified, switched to, watched, done."""
    for run in _switchings(plan, indexes):
        _expect_ready(run)
        expect(
            run.actions[-1] != "abort" and "early" not in run.broke,
            gettext("An index that becomes whole and finds what it should is switched to, and not given up."),
            "12.3.early",
        )
        expect(
            "watched" not in run.broke,
            gettext("It is done when the new index has answered `watch` questions of users, and not before."),
            "12.3.watched",
        )


def check_abort(plan: Function, indexes: Sequence[Index]) -> None:
    """What is wrong before the switch ends it."""
    for run in _switchings(plan, indexes):
        _expect_ready(run)
        expect("early" not in run.broke, gettext("Nothing is given up without a reason."), "12.3.early")
        expect(
            run.actions[-1] == "abort" and "late" not in run.broke,
            gettext("As soon as there is a reason to abort, the next action is to abort."),
            "12.3.abort",
        )


def check_back(plan: Function, indexes: Sequence[Index]) -> None:
    """What only users' questions show is switched back."""
    for run in _switchings(plan, indexes):
        _expect_ready(run)
        expect("early" not in run.broke, gettext("Nothing is given up without a reason."), "12.3.early")
        expect(
            run.actions[-2:] == ["back", "abort"] and "late" not in run.broke,
            gettext(
                "When more than `most_bad` questions went badly since the switch, the old index "
                "answers again at once, and then it is aborted."
            ),
            "12.3.back",
        )


def _switchings(plan: Function, indexes: Sequence[Index]) -> list[Switching]:
    return _play(
        plan,
        [Switching(index) for index in indexes],
        _MOST_STEPS,
        (gettext("The plan answers with an action that can be taken then, for every state."), "12.3.action"),
        (gettext("A switch comes to an end."), "12.3.end"),
    )


def _expect_ready(run: Switching) -> None:
    expect(
        "unready" not in run.broke,
        gettext("Only an index that is whole, is loaded, and has found what it should is switched to."),
        "12.3.ready",
    )


def _play(
    function: Function, runs: list[Run], most: int, action: tuple[str, str], end: tuple[str, str]
) -> list[Run]:
    """Every run to its end. All of them are asked for their next action at once, round after round."""
    for _ in range(most):
        going = [run for run in runs if not run.ended]
        if not going:
            return runs
        for run, answer in zip(going, call_many(function, map(_arguments, going)), strict=True):
            expect(_is_known(run, answer), *action)
            run.act(answer)
    expect(False, *end)
    return runs


def _arguments(run: _Played) -> tuple[Any, ...]:
    state = run.state()
    return state if isinstance(state, tuple) else (state,)


def _is_known(run: _Played, answer: Any) -> bool:
    return isinstance(answer, str | dict) and run.knows(answer)
