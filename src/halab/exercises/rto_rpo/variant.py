"""Exercise 7: made-up incidents whose losses are known, backups, strategies and services. Times are seconds.

Nothing here was measured: an incident is written down row by row, so what was lost in it is known by
construction and not counted by a second program that could share a learner's mistake.
"""

from __future__ import annotations

import random

from halab.exercises.learner_numbers import per_learner
from halab.exercises.rto_rpo.given import Backups, Data, Incident, Market, Promise, Variant
from halab.models.recovery import DAY, DISASTERS, HOUR, Setting, strategies

__all__ = [
    "make_backups",
    "make_incident",
    "make_incident_without_loss",
    "make_market",
    "make_promise",
    "variant",
]

RATE = 20  # inserts a second
TIMEOUT = 1.0  # seconds after which an insert is given up: its outcome is unknown
STAGES = ("noticed", "decided", "restored", "serving")


def make_incident(rng: random.Random) -> Incident:
    """An incident that lost the rows since the last flush, and whose service came up once too early."""
    return _incident(rng, survives=False)


def make_incident_without_loss(rng: random.Random) -> Incident:
    """An incident in which the log survived, and every acknowledged row with it."""
    return _incident(rng, survives=True)


def _incident(rng: random.Random, *, survives: bool) -> Incident:
    disaster = round(rng.uniform(20.0, 30.0), 3)
    flushed = disaster - rng.uniform(4.0, 9.0)
    back = disaster + rng.uniform(15.0, 25.0)
    keys = rng.sample(range(10**6, 10**7), round((back + 5) * RATE))
    inserts, present, gone = [], [], []
    landed = 0
    for number, key in enumerate(keys):
        row = _insert(rng, number / RATE, key, disaster, back)
        inserts.append(row)
        safe = survives or row["sent"] < flushed or row["sent"] >= back
        if row["outcome"] == "ok" and not safe:
            gone.append(row["done"])
        elif row["outcome"] == "ok" or (row["outcome"] == "unknown" and rng.random() < 0.5):
            present.append(key)
            landed += row["outcome"] == "unknown"
    rng.shuffle(present)
    stages, events = _events(rng, disaster)
    data = {"disaster_at": disaster, "inserts": inserts, "found": present, "events": events}
    return Incident(data, len(gone), landed, disaster - min(gone) if gone else 0.0, stages)


def _insert(rng: random.Random, sent: float, key: int, disaster: float, back: float) -> Data:
    """One insert: a few get no answer although all is well, and those under way in the disaster get none."""
    if sent < disaster - TIMEOUT or sent >= back:
        outcome = "unknown" if rng.random() < 0.03 else "ok"
    elif sent < disaster:
        outcome = "unknown"
    else:
        outcome = rng.choice(("fail", "fail", "unknown"))
    latency = TIMEOUT if outcome == "unknown" else rng.uniform(0.002, 0.3)
    return {"key": key, "sent": sent, "done": round(sent + latency, 4), "outcome": outcome}


def _events(rng: random.Random, disaster: float) -> tuple[dict[str, float], list[Data]]:
    """The stages, and the log they are read from: with a false alarm before and a relapse at the end."""
    noticed, decided, restored, ready, relapse, again = (
        round(rng.uniform(low, high), 1)
        for low, high in ((20, 300), (300, 1800), (1800, 7200), (60, 600), (30, 200), (60, 900))
    )
    at = disaster
    events = [{"at": 0.0, "what": "serving"}, {"at": round(disaster / 2, 3), "what": "alarm"}]
    steps = (
        (0.0, "disaster"), (noticed, "alarm"), (decided, "decision"), (restored, "restored"),
        (ready, "serving"), (relapse, "down"), (1.0, "alarm"), (again, "serving"),
    )  # fmt: skip
    for seconds, what in steps:
        at += seconds
        events.append({"at": round(at, 3), "what": what})
    times = (noticed, decided, restored, ready + relapse + 1.0 + again)
    return dict(zip(STAGES, times, strict=True)), events


def make_promise(rng: random.Random) -> Promise:
    """A promise that some interval keeps."""
    rpo = rng.choice((4, 6, 8, 12, 24)) * HOUR
    return Promise(rpo, round(rng.uniform(0.05, 0.3) * rpo), rng.randrange(3))


def make_backups(rng: random.Random) -> Backups:
    """Backups of unequal duration, some of them failed, in no order.

    Between some of them and the next lies a moment at which the newest is not ready, or failed.
    """
    interval = rng.choice((2, 3, 4, 6)) * HOUR
    begun = [round(number * interval + rng.uniform(0, 600)) for number in range(12)]
    # The first is sound, so that only a moment before it finds nothing.
    sound = [True, *(rng.random() < 0.7 for _ in begun[1:])]
    ready = [at + round(rng.uniform(0.1, 0.9) * interval) for at in begun]
    # One that was begun earlier may be ready later: it takes more than an interval.
    ready[4] = begun[4] + round(1.6 * interval)
    sound[4] = sound[5] = True
    ready[5] = begun[5] + round(0.1 * interval)
    rows = [
        {"begun": at, "ready": there, "ok": good} for at, there, good in zip(begun, ready, sound, strict=True)
    ]
    edges = sorted({begun[0] - 60, *(at + 30 for at in begun), *(at + 30 for at in ready)})
    truth = [(float(moment), _lost(moment, begun, ready, sound)) for moment in edges]
    return Backups(rng.sample(rows, len(rows)), truth)


def _lost(moment: float, begun: list[int], ready: list[int], sound: list[bool]) -> float | None:
    """Taken from the newest backwards, until one can be used."""
    for at, there, good in reversed(list(zip(begun, ready, sound, strict=True))):
        if good and there <= moment:
            return moment - at
    return None


def make_market(rng: random.Random) -> Market:
    """Eight strategies at prices of their own, and six services.

    Of the first only the RPO decides, of the second only the RTO; the last asks too much.
    """
    setting = Setting(
        failover=rng.uniform(8, 15),
        restart=rng.uniform(30, 120),
        decide=rng.uniform(600, 2400),
        restore=rng.uniform(1, 4) * HOUR,
        promote=rng.uniform(120, 900),
        flush=rng.uniform(120, 900),
        delay=rng.uniform(5, 100),
        interval=rng.choice((0.25, 0.5, 1)) * DAY,
        takes=rng.uniform(600, 3000),
        cluster=rng.randrange(800, 1500),
        replicas=rng.randrange(300, 700),
        standby=rng.randrange(800, 1600),
        synchronous=rng.randrange(2000, 4000),
        backup=rng.uniform(0.1, 0.4),
    )
    offered: list[Data] = [
        {
            "name": strategy.name,
            "cost": round(strategy.cost, 2),
            "recoveries": {
                disaster: (round(recovery.rto, 1), round(recovery.rpo, 1))
                for disaster, recovery in strategy.recoveries.items()
            },
        }
        for strategy in strategies(setting)
    ]
    rng.shuffle(offered)
    by_name = {strategy["name"]: strategy["recoveries"] for strategy in offered}
    patient = {
        "name": "orders", "rto": DAY, "rpo": by_name["warm standby"]["log"][1], "disasters": ["log"],
    }  # fmt: skip
    hasty = {"name": "search", "rto": by_name["replicas"]["node"][0], "rpo": DAY, "disasters": ["node"]}
    services = [patient, hasty, *(_service(rng, name, offered) for name in ("chat", "reports", "archive"))]
    services.append({"name": "miracle", "rto": 1.0, "rpo": 0.0, "disasters": sorted(DISASTERS)})
    return Market(offered, services, _drills(rng, services))


def _service(rng: random.Random, name: str, offered: list[Data]) -> Data:
    """A service that one of the strategies just meets: its limits are that one's own worst."""
    recoveries = rng.choice(offered)["recoveries"]
    disasters = rng.sample(sorted(recoveries), rng.randrange(1, len(recoveries) + 1))
    rto = max(recoveries[disaster][0] for disaster in disasters)
    rpo = max(recoveries[disaster][1] for disaster in disasters)
    return {"name": name, "rto": rto, "rpo": rpo, "disasters": disasters}


def _drills(rng: random.Random, services: list[Data]) -> list[Data]:
    """Every case once: kept, just kept, too slow once, too much lost once, rows not counted, no drill."""
    kept, edge, slow, lossy, uncounted, _ = rng.sample(services, len(services))
    drills = [
        _drill(kept, 0.5, 0.5),
        _drill(kept, 0.7, 0.2),
        _drill(edge, 1.0, 1.0),
        _drill(slow, 1.2, 0.5),
        _drill(slow, 0.8, None),
        _drill(lossy, 0.4, 1.0, more=5.0),
        _drill(lossy, 0.9, 0.9),
        _drill(uncounted, 0.6, 0.1),
        _drill(uncounted, 0.6, None),
    ]
    rng.shuffle(drills)
    return drills


def _drill(service: Data, rto: float, rpo: float | None, more: float = 0.0) -> Data:
    """A drill of a service: shares of its limits, and None where the rows were not counted."""
    lost = None if rpo is None else service["rpo"] * rpo + more
    return {"service": service["name"], "rto": service["rto"] * rto, "rpo": lost}


@per_learner(card=7)
def variant(rng: random.Random) -> Variant:
    """The exercise of this learner (default: the one at work here), the same each time."""
    return Variant(make_incident(rng), make_promise(rng), make_backups(rng), make_market(rng))
