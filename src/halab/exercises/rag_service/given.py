"""Exercise 12: simulated clusters behind a retrieval service, and what goes wrong with them.

Three programs are played step by step. Each is told what it can know and answers with what it does next:

Intake      an ingest: its writes may time out, land late or get lost, and it may be killed anywhere
Shift       a service that answers one question after the other while addresses fail
Switching   a second index that is filled, verified, switched to, watched, and switched back

Each keeps in `broke` which rules were broken, as topics of hints. Nothing here was measured.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from halab.tables import Table
from halab.translation import gettext, gettext_noop, ngettext

__all__ = [
    "ADDRESSES",
    "DEADLINE",
    "NEVER",
    "STEP",
    "Data",
    "Documents",
    "Index",
    "Intake",
    "Outage",
    "Passage",
    "Reply",
    "Shift",
    "Switching",
    "Variant",
]

Data = dict[str, Any]

Passage = dict[str, str]


@dataclass(frozen=True, slots=True)
class Documents:
    """The passages of a folder, the most rows that a batch may have, and what becomes of each call by its
    number: "unwritten" and "written" time out, "killed" and "killed after" end the program before and after
    the write. Of the writes, by their number, those in `late` time out and land after the next call; those in
    `lost` are acknowledged and gone."""

    passages: tuple[Passage, ...]
    most: int
    troubles: dict[int, str]
    late: tuple[int, ...]
    lost: tuple[int, ...]


@dataclass(slots=True)
class Intake:
    """An ingest under way. `act` carries out the call that the program makes next."""

    documents: Documents
    heard: list[Data] = field(default_factory=list)
    rows: list[Passage] = field(default_factory=list)
    calls: int = 0
    writes: int = 0
    ended: bool = False
    broke: set[str] = field(default_factory=set)
    _late: list[Data] = field(default_factory=list)
    _at_start: set[str] = field(default_factory=set)

    def state(self) -> tuple[list[Passage], list[Data], int]:
        """What the program is told: the passages, in another order after each start; what it has heard since
        its start; and the most rows a batch may have."""
        turn = self.calls - len(self.heard)
        passages = [dict(each) for each in self.documents.passages]
        return passages[turn:] + passages[:turn], list(self.heard), self.documents.most

    def knows(self, call: Any) -> bool:
        """Whether this is a call that can be made here."""
        if not isinstance(call, dict):
            return False
        if call.get("call") == "done":
            return True
        if call.get("call") == "present":
            keys = call.get("keys")
            return isinstance(keys, (list, tuple)) and all(isinstance(key, str) for key in keys)
        rows = call.get("rows")
        return (
            call.get("call") in ("insert", "upsert")
            and isinstance(rows, (list, tuple))
            and 0 < len(rows) <= self.documents.most
            and all(isinstance(row, dict) and set(row) == _ROW for row in rows)
            and all(isinstance(value, str) for row in rows for value in row.values())
        )

    def act(self, call: Data) -> None:
        """Carry a call out, as far as the trouble of its number lets it."""
        self.calls += 1
        trouble = self.documents.troubles.get(self.calls, "")
        landing, self._late = self._late, []
        if call["call"] in ("insert", "upsert"):
            self._take(call, trouble)
        if call["call"] != "done":
            self._hear(call, trouble)
        for write in landing:
            self._write(write)
        if call["call"] == "done":
            self.ended = True
            self._judge()

    def _take(self, call: Data, trouble: str) -> None:
        self.writes += 1
        if any(row["key"] in self._at_start for row in call["rows"]):
            self.broke.add("again")
        if self.writes in self.documents.late:
            self._late.append(call)
        elif trouble not in ("unwritten", "killed") and self.writes not in self.documents.lost:
            self._write(call)

    def _hear(self, call: Data, trouble: str) -> None:
        if trouble.startswith("killed"):
            self.heard, self._at_start = [], {row["key"] for row in self.rows}
            return
        answer: Any = "acknowledged"
        if trouble in ("unwritten", "written") or call in self._late:
            answer = "timeout"
        elif call["call"] == "present":
            asked = set(call["keys"])
            answer = [row["key"] for row in self.rows if row["key"] in asked]
        self.heard.append({"call": call, "answer": answer})

    def _write(self, call: Data) -> None:
        if call["call"] == "upsert":
            keys = {row["key"] for row in call["rows"]}
            self.rows = [row for row in self.rows if row["key"] not in keys]
        self.rows += call["rows"]

    def _judge(self) -> None:
        there = Counter(tuple(row[part] for part in _PARTS) for row in self.rows)
        wanted = {tuple(passage[part] for part in _PARTS) for passage in self.documents.passages}
        if any(times > 1 for times in there.values()):
            self.broke.add("twice")
        if wanted - set(there):
            self.broke.add("missing")
        if set(there) - wanted:
            self.broke.add("foreign")


_PARTS = ("source", "heading", "text")

_ROW = {"key", *_PARTS}

ADDRESSES = {"proxy-1": False, "proxy-2": False, "standby": True}
"""The addresses of the service, and whether each belongs to the standby cluster."""

DEADLINE = 1000
"""Milliseconds that a question may take."""

_TICK = 100  # milliseconds of one "wait" at most

NEVER = 10 * DEADLINE

_WAITED = 200  # milliseconds without an answer after which an abandoned request counts as failed

_SPARE = {"unanswered": 8, "degraded": 14}  # questions beyond those for which there is no better answer

Reply = tuple[str, int]
"""What an address says to a question, and after how many milliseconds."""


@dataclass(frozen=True, slots=True)
class Outage:
    """A stretch of questions: what each address would say to each, and whether there is a last good answer.

    `faults` says from which question to which, counted from 1. `extra` is the share of further requests.
    """

    replies: tuple[dict[str, Reply], ...]
    remembered: tuple[bool, ...]
    faults: dict[str, tuple[int, int]]
    extra: float

    @property
    def most_unanswered(self) -> int:
        """Questions that may go unanswered: those nobody can answer, and a few."""
        lost = (
            not any(_good(reply) for reply in replies.values()) and not remembered
            for replies, remembered in zip(self.replies, self.remembered, strict=True)
        )
        return sum(lost) + _SPARE["unanswered"]

    @property
    def most_degraded(self) -> int:
        """Answers that may be degraded: where the cluster in charge gives none, and a few."""
        return sum(not self.has_good(number) for number in range(len(self.replies))) + _SPARE["degraded"]

    def has_good(self, number: int) -> bool:
        """Whether a proxy of the cluster in charge answers this question in time."""
        return any(_good(reply) for name, reply in self.replies[number].items() if not ADDRESSES[name])

    def is_quiet(self, number: int) -> bool:
        """Whether nothing has broken yet, and every address answers this question, and soon."""
        begins = min(first for first, _ in self.faults.values())
        replies = self.replies[number].values()
        return number + 1 < begins and all(
            status == "answered" and after <= _TICK for status, after in replies
        )

    @property
    def table(self) -> Table:
        """The goal and the faults in words. The hidden ones have others."""
        of = len(self.replies)
        return Table(
            gettext("{count} questions: at most {unanswered} unanswered, {degraded} degraded").format(
                count=of, unanswered=self.most_unanswered, degraded=self.most_degraded
            ),
            (gettext_noop("fault"), gettext_noop("from question"), gettext_noop("to question")),
            tuple((gettext(name), str(first), str(last)) for name, (first, last) in self.faults.items()),
            (
                gettext("Further requests: at most {most:g} for each question asked so far.").format(
                    most=self.extra
                ),
            ),
        )


def _good(reply: Reply) -> bool:
    return reply[0] == "answered" and reply[1] < DEADLINE


@dataclass(slots=True)
class _Request:
    name: str
    sent: int  # milliseconds since the question was asked
    reply: Reply

    def status(self, now: int) -> str:
        return self.reply[0] if now >= self.sent + self.reply[1] else "waiting"


@dataclass(slots=True)
class Shift:
    """A service at work: one question after the other, and what became of each in `fates`: "good",
    "degraded", "unanswered", or "wrong" for a standby's answer that was passed off as a good one."""

    outage: Outage
    fates: list[str] = field(default_factory=list)
    further: int = 0
    actions: int = 0
    broke: set[str] = field(default_factory=set)
    _now: int = 0
    _requests: list[_Request] = field(default_factory=list)
    _failures: Counter[str] = field(default_factory=Counter)
    _asked: dict[str, int] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        return len(self.fates) == len(self.outage.replies)

    def state(self) -> Data:
        """What the service knows while it answers a question."""
        number = len(self.fates)
        return {
            "question": number + 1,
            "left": DEADLINE - self._now,
            "further": self.further,
            "extra": self.outage.extra,
            "remembered": self.outage.remembered[number],
            "addresses": [
                {
                    "name": name,
                    "standby": standby,
                    "failures": self._failures[name],
                    "rested": number - self._asked.get(name, -1),
                }
                for name, standby in ADDRESSES.items()
            ],
            "requests": [
                {
                    "name": each.name,
                    "standby": ADDRESSES[each.name],
                    "age": self._now - each.sent,
                    "status": each.status(self._now),
                }
                for each in self._requests
            ],
        }

    def knows(self, action: str) -> bool:
        """Whether this is an action that can be taken now."""
        verb, _, name = action.partition(" ")
        asked = {request.name for request in self._requests}
        if action in ("wait", "give up"):
            return True
        if action == "degraded memory":
            return self.outage.remembered[len(self.fates)]
        return (verb == "ask" and name in ADDRESSES.keys() - asked) or (
            verb in ("answer", "degraded") and name in asked
        )

    def act(self, action: str) -> None:
        """Take the action; a question that is out of time ends unanswered."""
        self.actions += 1
        verb, _, name = action.partition(" ")
        if action == "wait":
            replies = [request.sent + request.reply[1] for request in self._requests]
            self._now = min([at for at in replies if at > self._now] + [self._now + _TICK])
            if self._now >= DEADLINE:
                self._end("unanswered")
        elif action == "give up":
            self._end("unanswered")
        elif verb == "ask":
            self._ask(name)
        elif action == "degraded memory":
            self._end("degraded")
        else:
            self._give(verb, next(request for request in self._requests if request.name == name))

    def _ask(self, name: str) -> None:
        number = len(self.fates)
        if self._requests:
            self.further += 1
            if self.further > self.outage.extra * (number + 1):
                self.broke.add("load")
        self._asked[name] = number
        self._requests.append(_Request(name, self._now, self.outage.replies[number][name]))

    def _give(self, verb: str, request: _Request) -> None:
        if request.status(self._now) != "answered":
            self.broke.add("empty")
            self._end("unanswered")
        elif verb == "answer" and ADDRESSES[request.name]:
            self.broke.add("passed-off")
            self._end("wrong")
        else:
            self._end("good" if verb == "answer" else "degraded")

    def _end(self, fate: str) -> None:
        if self.outage.is_quiet(len(self.fates)) and fate != "good":
            self.broke.add("quiet")
        self.fates.append(fate)
        for request in self._requests:
            status = request.status(self._now)
            if status == "answered":
                self._failures[request.name] = 0
            elif status != "waiting" or self._now - request.sent >= _WAITED:
                self._failures[request.name] += 1
        self._now, self._requests = 0, []

    @property
    def table(self) -> Table:
        """What became of the questions, fault by fault."""
        stretches = {gettext_noop("all"): (1, len(self.fates)), **self.outage.faults}
        fates = ("good", "degraded", "unanswered", "wrong")
        return Table(
            ngettext("{count} question", "{count} questions", len(self.fates)).format(count=len(self.fates)),
            ("", *fates),
            tuple(
                (gettext(name), *(str(self.fates[first - 1 : last].count(fate)) for fate in fates))
                for name, (first, last) in stretches.items()
            ),
            (gettext("Further requests: {count}.").format(count=self.further),),
        )


STEP = 10
"""Seconds from one question to the plan to the next."""

_RATE = 15  # questions of users in a step


@dataclass(frozen=True, slots=True)
class Index:
    """A second index to be made. `growth` says at which steps how many documents come in meanwhile;
    `trouble` is "" or what is wrong with it: "lossy" never holds every row, "vectors" are another model's,
    "stuck" never is loaded, "blind" does not find what it should, "bad" shows only with users' questions."""

    passages: int
    known: int
    least: int
    patience: int
    most_fills: int
    watch: int
    most_bad: int
    loads: int
    growth: dict[int, int]
    trouble: str


@dataclass(slots=True)
class Switching:
    """A second index under way: what a plan is told, what it did, and which rules it broke."""

    index: Index
    actions: list[str] = field(default_factory=list)
    broke: set[str] = field(default_factory=set)
    alias: str = "a"
    _passages: int = 0
    _new: Data | None = None
    _after: Data | None = None

    def __post_init__(self) -> None:
        self._passages = self.index.passages

    @property
    def ended(self) -> bool:
        return self.actions[-1:] in (["done"], ["abort"])

    def state(self) -> Data:
        """What the plan is told."""
        index = self.index
        return {
            "passages": self._passages,
            "vectors": "new model",
            "known": index.known,
            "least": index.least,
            "patience": index.patience,
            "most_fills": index.most_fills,
            "watch": index.watch,
            "most_bad": index.most_bad,
            "alias": self.alias,
            "b": None if self._new is None else dict(self._new),
            "since_switch": None if self._after is None else dict(self._after),
        }

    def knows(self, action: str) -> bool:
        """Whether this is an action that can be taken now."""
        made, after = self._new is not None, self._after is not None
        can = {
            "wait": True,
            "make": not made,
            "fill": made,
            "load": made,
            "ask": made,
            "switch": made and not after,
            "back": after and self.alias == "b",
            "done": True,
            "abort": True,
        }
        return can.get(action, False)

    @property
    def hopeless(self) -> bool:
        """Whether there is a reason to abort."""
        new, after = self._new, self._after
        if after is not None:
            return bool(after["bad"] > self.index.most_bad)
        return new is not None and (
            new["vectors"] != "new model"
            or (new["fills"] >= self.index.most_fills and new["rows"] != self._passages)
            or (not new["loaded"] and (new["loading"] or 0) > self.index.patience)
            or (new["found"] is not None and new["found"] < self.index.least)
        )

    @property
    def ready(self) -> bool:
        """Whether the new index may be switched to."""
        new = self._new
        return (
            new is not None
            and not self.hopeless
            and new["rows"] == self._passages
            and new["loaded"]
            and new["found"] is not None
        )

    def act(self, action: str) -> None:
        """Take the action, note the rules it breaks, and let a step of time pass."""
        self._note(action)
        self.actions.append(action)
        if action == "make":
            vectors = "old model" if self.index.trouble == "vectors" else "new model"
            self._new = {
                "rows": 0, "fills": 0, "vectors": vectors, "loading": None, "loaded": False, "found": None,
            }  # fmt: skip
        elif action == "switch":
            self.alias, self._after = "b", {"questions": 0, "bad": 0}
        elif action == "back":
            self.alias = "a"
        elif self._new is not None:
            self._prepare(self._new, action)
        self._pass_time()

    def _note(self, action: str) -> None:
        back = self._after is not None and self.alias == "a"
        if action == "switch" and not self.ready:
            self.broke.add("unready")
        if (action == "abort" and not self.hopeless) or (action == "back" and not self.hopeless):
            self.broke.add("early")
        if self.hopeless and action != ("back" if self.alias == "b" else "abort"):
            self.broke.add("late")
        if action == "done" and (back or self._after is None or self._after["questions"] < self.index.watch):
            self.broke.add("watched")

    def _prepare(self, new: Data, action: str) -> None:
        if action == "fill":
            lost = 3 if self.index.trouble == "lossy" or not new["fills"] else 0
            new |= {"rows": self._passages - lost, "fills": new["fills"] + 1, "found": None}
        elif action == "load" and new["loading"] is None:
            new["loading"] = 0
        elif action == "ask":
            whole = new["loaded"] and self.index.trouble != "blind"
            new["found"] = self.index.known if whole else self.index.least - 1

    def _pass_time(self) -> None:
        new, after = self._new, self._after
        came = self.index.growth.get(len(self.actions), 0)
        self._passages += came
        if new is not None and came:
            new["found"] = None
        if new is not None and new["loading"] is not None and not new["loaded"]:
            new["loading"] += STEP
            new["loaded"] = self.index.trouble != "stuck" and new["loading"] >= self.index.loads * STEP
        if after is not None and self.alias == "b":
            after["questions"] += _RATE
            after["bad"] += 2 if self.index.trouble == "bad" else int(after["questions"] == _RATE)


@dataclass(frozen=True, slots=True)
class Variant:
    """One learner's exercise. The third index has something wrong that shows before the switch, the second
    something that shows after it."""

    documents: Documents
    lossy: Documents
    outage: Outage
    indexes: list[Index]
