"""A whole small course: eleven lessons, their exercises, and a learner who has done and measured them all."""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from halab.certificate.assessment import assess, issue, save
from halab.certificate.signing_keys import own_key
from halab.course.catalogue import CERTIFIED, entry
from halab.grading.grader import Check, GradeReport
from halab.measure.journal.journal_file import FaultRecord, Header, Journal
from halab.models.samples import Outcome, Sample

STARTED = "2026-11-20T12:00:00+00:00"


def notebook(**metadata):
    return json.dumps({"cells": [], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


def quick_grader(copy, name, learner, on_progress=lambda done: None):
    """Grades in no time: a notebook says what it earns, and earns it for its own learner only."""
    said = json.loads(copy.read_text())["metadata"]
    points = said["points"] if said["learner"] == learner else 0.0
    on_progress(0.5)
    on_progress(1.0)
    check = Check(f"{name[:2]}-1-all", f"{name[:2]}.1", "All of it", points, said["out_of"])
    return GradeReport(int(name[:2]), name, learner, (check,), (), 0.1, 1.0)


@dataclass
class WholeCourse:
    root: Path
    work: Path
    home: Path
    learner: str = "ada"
    seed: int = 0

    def build(self):
        (self.root / "cards").mkdir(parents=True)
        for card in CERTIFIED:
            for folder in ("exercises", "solutions"):
                path = self.root / folder / card.slug / f"{card.slug}.ipynb"
                path.parent.mkdir(parents=True)
                path.write_text(notebook(source=card.slug))
            lesson = self.root / "course" / f"{card.slug}.ipynb"
            lesson.parent.mkdir(exist_ok=True)
            lesson.write_text(notebook())
            self.earn(card.number, 18.0)
            self.predict(card.number)
            self.measure(card.number)
        return self

    def copy(self, card):
        slug = entry(card).slug
        return self.work / "exercises" / slug / f"{slug}.ipynb"

    def source(self, card):
        slug = entry(card).slug
        return self.root / "solutions" / slug / f"{slug}.ipynb"

    def journal(self, card):
        return self.work / "journals" / f"{card:02d}-crash.jsonl"

    def earn(self, card, points, out_of=20.0, learner=None):
        path = self.copy(card)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(notebook(points=points, out_of=out_of, learner=learner or self.learner, card=card))

    def remember(self, card, points, out_of=20.0):
        """What the board keeps of a grade."""
        kept = self.work / ".halab" / "grades.jsonl"
        kept.parent.mkdir(parents=True, exist_ok=True)
        with kept.open("a") as file:
            file.write(json.dumps({"card": card, "points": points, "out_of": out_of, "checks": []}) + "\n")

    def predict(self, card):
        """What the lesson's form keeps, long before any measurement."""
        made = {"learner": self.learner, "card": card, "time": 1e9, "numbers": {"failed_requests": 1.0}}
        kept = self.work / ".halab" / "predictions.jsonl"
        kept.parent.mkdir(parents=True, exist_ok=True)
        with kept.open("a") as file:
            file.write(json.dumps(made | {"experiment": "crash active rootcoord"}) + "\n")

    def measure(
        self, card, *, simulated=False, engine="embedded", started=STARTED, probes=1, faults=True, by=None
    ):
        self.seed += 1
        header = Header(
            name="course",
            engine="simulated" if simulated else engine,
            profile="ha",
            ttl=10.0,
            versions={"milvus": "2.3.5"},
            seed=self.seed,
            machine={"learner": self.learner},  # so that two learners' journals differ
            started=started,
            rate=20.0,
            deadline=1.0,
            operations=("search",),
            timeouts={"search": 1.0},
            simulated=simulated,
            learner=self.learner if by is None else by,
        )
        fault = FaultRecord("crash", "active rootcoord", "rootcoord-1", 1.0, 12.0)
        own = (sum(map(ord, self.learner)) * 100 + self.seed) / 1e6  # no two runs are alike
        samples = [
            Sample("search", n, n / 20, n / 20, n / 20 + 0.01 + own, Outcome.OK) for n in range(probes)
        ]
        self.journal(card).unlink(missing_ok=True)
        Journal.write(header, samples=samples, faults=[fault] if faults else []).save(self.journal(card))

    grader = staticmethod(quick_grader)

    def assess(self):
        return assess(self.grader)

    def certify(self, name="Ada Lovelace", key=None, language="en"):
        """The path of the signed record."""
        issued = issue(self.assess(), name, key or own_key(), by_issuer=key is not None)
        return save(issued, self.work / "certificates", language).record


@pytest.fixture
def real_path():
    """PATH as it was before the courses took the browser off it."""
    return os.environ["PATH"]


@pytest.fixture
def learner_of(tmp_path, monkeypatch, real_path):
    """Make a learner's course, and have halab work in it; no browser is on PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("HALAB_LANG", raising=False)

    def make(learner):
        base = tmp_path / learner
        made = WholeCourse(base / "course", base / "work", base / "home", learner).build()
        for name, folder in (("COURSE", made.root), ("WORK", made.work), ("HOME", made.home)):
            monkeypatch.setenv(f"HALAB_{name}", str(folder))
        monkeypatch.setenv("HALAB_LEARNER", learner)
        return made

    return make


@pytest.fixture
def whole_course(learner_of):
    return learner_of("ada")


@pytest.fixture
def moved(whole_course, tmp_path, monkeypatch):
    """Move the learner's folder, as a whole, to another place."""

    def move():
        there = Path(shutil.move(whole_course.work, tmp_path / "moved"))
        monkeypatch.setenv("HALAB_WORK", str(there))
        return there

    return move
