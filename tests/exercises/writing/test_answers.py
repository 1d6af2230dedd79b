"""Answers to exercise 4 as learners give them: what each earns, and which hint it gets."""

from statistics import median

from halab.exercises.writing.variant import variant
from support.answers import Answers, Wrong

EXPECTED = """
def expected(base, jitter, copies, needed):
    if {wrong}:
        raise ValueError("needed")
    return {time}
"""
REFUSE = "not 1 <= needed <= copies"
RIGHT = "base + jitter * sum(1 / (copies - done) for done in range(needed))"
TIMES = """
def times(writes, way, needed):
    found = []
    for copies in writes:
        done = {done}
        wanted = needed if way == "quorum" else {wanted}
        if len(done) < wanted:
            found.append(None)
        else:
            found.append(sum(done) if way == {adding} else done[wanted - 1])
    return found
"""
CAME = "[each for each in copies if each is not None]"
INTERVAL = """
def interval(one, three):
    from random import Random
    rng = Random(1)
    drawn = sorted({drawn} for _ in range(2000))
    return drawn[{low}], drawn[{high}]
"""
AGAIN = "ratio(rng.choices(one, k=len(one)), rng.choices(three, k=len(three)))"
MOVED = """
def moved(setup):
    row = setup["row_bytes"]
    return {{"log": row * {log}, "store": row * {store}, "memory": row * setup["replicas"]}}
"""
MEDIANS = """
def ratio(one, three):
    from statistics import {middle} as middle
    return middle({above}) / middle({below})
"""

WRONG = {
    "adds the copies up": Wrong(
        {"04-1-expected-answer": EXPECTED.format(wrong=REFUSE, time="copies * (base + jitter)")},
        {"04-1-expected": "04.1.slowest"},
    ),
    "waits for the slowest whatever is needed": Wrong(
        {
            "04-1-expected-answer": EXPECTED.format(
                wrong=REFUSE, time="base + jitter * sum(1 / (k + 1) for k in range(copies))"
            )
        },
        {"04-1-expected": "04.1.quorum"},
    ),
    "waits for nobody and for more than there are": Wrong(
        {"04-1-expected-answer": EXPECTED.format(wrong="copies < 1", time=RIGHT)},
        {"04-1-refused": "04.1.refused"},
    ),
    "does not sort": Wrong(
        {
            "04-1-times-answer": TIMES.format(done=CAME, wanted="len(copies)", adding='"serial"'),
        },
        {"04-1-times": "04.1.times"},
    ),
    "forgets the copies that never came": Wrong(
        {
            "04-1-times-answer": TIMES.format(
                done=f"sorted({CAME})", wanted="len(done)", adding='"serial"'
            ).replace("if len(done) < wanted", "if not done or len(done) < wanted")
        },
        {"04-1-times": "04.1.lost"},
    ),
    "adds up what is sent at once": Wrong(
        {
            "04-1-times-answer": TIMES.format(
                done=f"sorted({CAME})", wanted="len(copies)", adding='"parallel" or way == "serial"'
            )
        },
        {"04-1-times": "04.1.times"},
    ),
    "multiplies the share by the copies": Wrong(
        {"04-1-straggling-answer": "def straggling(share, copies, needed):\n    return share * copies"},
        {"04-1-straggling": "04.1.straggling"},
    ),
    "lets a quorum wait for every straggler": Wrong(
        {
            "04-1-straggling-answer": "def straggling(share, copies, needed):\n"
            "    return 1 - (1 - share) ** copies"
        },
        {"04-1-straggling": "04.1.forgives"},
    ),
    "takes means": Wrong(
        {"04-2-ratio-answer": MEDIANS.format(middle="mean", above="three", below="one")},
        {"04-2-ratio": "04.2.mean", "04-2-interval": "04.2.wide"},
    ),
    "turns the ratio round": Wrong(
        {"04-2-ratio-answer": MEDIANS.format(middle="median", above="one", below="three")},
        {"04-2-ratio": "04.2.ratio", "04-2-interval": "04.2.interval"},
    ),
    "takes the range of single writes": Wrong(
        {
            "04-2-interval-answer": INTERVAL.format(
                drawn="rng.choice(three) / rng.choice(one)", low=50, high=1949
            )
        },
        {"04-2-interval": "04.2.wide"},
    ),
    "takes the middle half": Wrong(
        {"04-2-interval-answer": INTERVAL.format(drawn=AGAIN, low=500, high=1500)},
        {"04-2-interval": "04.2.interval"},
    ),
    "believes the middle of the interval": Wrong(
        {
            "04-2-sentence-answer": """
def sentence(interval, claim):
    low, high = interval
    shown = "slower" if low + high > 2 else "faster" if low + high < 2 else "not shown"
    return shown, "possible" if low <= claim <= high else "refuted"
"""
        },
        {"04-2-sentence": "04.2.shown"},
    ),
    "refutes at the ends": Wrong(
        {
            "04-2-sentence-answer": """
def sentence(interval, claim):
    low, high = interval
    shown = "slower" if low > 1 else "faster" if high < 1 else "not shown"
    return shown, "possible" if low < claim < high else "refuted"
"""
        },
        {"04-2-sentence": "04.2.sentence"},
    ),
    "waits for query replicas": Wrong(
        {
            "04-3-waits-answer": """
def waits(setup):
    copies = setup["replicas"]
    return {"one": 1, "quorum": copies // 2 + 1, "all": copies}[setup["acks"]]
"""
        },
        {"04-3-waits": "04.3.replicas"},
    ),
    "takes half for a quorum": Wrong(
        {
            "04-3-waits-answer": """
def waits(setup):
    copies = setup["log_copies"]
    return {"one": 1, "quorum": (copies + 1) // 2, "all": copies}[setup["acks"]]
"""
        },
        {"04-3-waits": "04.3.waits"},
    ),
    "stores every replica": Wrong(
        {
            "04-3-moved-answer": MOVED.format(
                log='setup["log_copies"]', store='setup["store_copies"] * setup["replicas"]'
            )
        },
        {"04-3-moved": "04.3.store"},
    ),
    "counts only the copies that were waited for": Wrong(
        {"04-3-moved-answer": MOVED.format(log="waits(setup)", store='setup["store_copies"]')},
        {"04-3-moved": "04.3.log"},
    ),
}


class TestAnswers(Answers):
    NAME = "04-writing"
    WRONG = WRONG
    variant = variant
    NEIGHBOUR_FAILS = ("04-2-interval", "04-2-ratio")

    @staticmethod
    def neighbour():
        bo = variant("bo").report
        return {
            "04-2-ratio-answer": f"def ratio(one, three):\n    return {median(bo.three) / median(bo.one)}"
        }
