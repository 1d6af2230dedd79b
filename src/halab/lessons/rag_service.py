"""What lesson 12 calls: a retrieval service on two clusters, and what each of its protections is worth.

The learner predicts, of "crash active rootcoord": `naive` and `protected`, questions without an answer of a
client without protections and of one with all of them, and `degraded`, answers of the latter that say so.
"""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

from halab.cluster.protocol import Cluster, Fault
from halab.course.paths import work_dir
from halab.folders import course_root
from halab.lessons.common import (
    PredictionForm,
    Question,
    ask_for_prediction,
    cluster,
    keep,
    prediction_before,
    table,
)
from halab.lessons.rag_service_runs import (
    CLIENTS,
    COPIES,
    NAME,
    PATIENCE,
    RATE,
    Asking,
    Trial,
    Users,
    UsersInDrill,
    fates,
    worth,
)
from halab.measure.experiments.experiment_steps import ExperimentSteps
from halab.measure.probing.prober import probe
from halab.models.samples import Outcome
from halab.protect.drill.rehearsal import rehearse
from halab.rag.documents import Passage, read_documents
from halab.rag.ingest import ingest
from halab.rag.local_passages import LocalPassages
from halab.rag.passage_collection import PassageCollection
from halab.rag.reindexing import KnownQuestion, reindex, switch_back
from halab.rag.vectors import LexicalVectors
from halab.tables import Table
from halab.translation import gettext, gettext_lazy, gettext_noop, pgettext_lazy

__all__ = [
    "QUESTIONS",
    "PredictionForm",
    "Trial",
    "Users",
    "cluster",
    "compare",
    "drill",
    "five_faults",
    "found",
    "ingest_through_a_crash",
    "keep",
    "loads",
    "reindex_under_load",
    "three_numbers",
    "trial",
    "users",
    "worth",
]

COORDINATOR = "crash active rootcoord"
FAULTS: dict[str, tuple[str, ...]] = {
    gettext_noop("coordinator crashes"): (COORDINATOR,),
    gettext_noop("query node lost, comes back"): ("crash query node 1",),
    gettext_noop("proxy lost"): ("crash proxy 1",),
    gettext_noop("log hangs"): ("hang log",),
    gettext_noop("cluster lost"): ("crash proxy 1", "crash proxy 2"),
}
"""The five faults of the lesson, by what the picture calls them."""

QUESTIONS = (
    Question(
        COORDINATOR,
        "naive",
        gettext_lazy("Questions without an answer, naive client"),
        pgettext_lazy("unit", "questions"),
        whole=True,
    ),
    Question(
        COORDINATOR,
        "protected",
        gettext_lazy("Questions without an answer, all protections"),
        pgettext_lazy("unit", "questions"),
        whole=True,
    ),
    Question(
        COORDINATOR,
        "degraded",
        gettext_lazy("Degraded answers, all protections"),
        pgettext_lazy("unit", "answers"),
        whole=True,
    ),
)
"""What the lesson asks before the first fault."""


def found(question: str, limit: int = 1) -> Passage:
    """The passage of the cards that keywords find: what is left of the service without any cluster."""
    passages = LocalPassages(read_documents(course_root() / "cards").passages)
    return passages.search(question, limit)[0][0]


def _file() -> Path:
    return work_dir() / "rag" / "passages.jsonl"


def ingest_through_a_crash(cluster: Cluster, batch: int = 4) -> Table:
    """Take the cards in anew, crash the active data coordinator when a third is written, and count the rows.

    Raises RagError if Milvus does not answer for a minute.
    """
    vectors = LexicalVectors(LocalPassages().rarity)
    collection = PassageCollection(cluster.uri, NAME, replicas=COPIES)
    collection.drop()
    struck: list[Fault] = []

    def on_progress(there: int, of: int) -> None:
        if not struck and there >= of / 3:
            struck.append(cluster.inject("crash", "active datacoord"))

    began = time.monotonic()
    try:
        done = ingest(
            course_root() / "cards", collection, vectors, _file(), batch=batch, on_progress=on_progress
        )
        seconds = time.monotonic() - began
    finally:
        for fault in struck:
            fault.undo()
        cluster.wait_healthy()
    keys = [passage.key for passage in LocalPassages.load(_file())]
    rows = collection.present(collection.current(), keys)
    return table(
        gettext("Ingest while the data coordinator dies"),
        (
            gettext_noop("passages"),
            gettext_noop("acknowledged"),
            gettext_noop("lost"),
            gettext_noop("there twice"),
            gettext_noop("seconds"),
        ),
        [(str(len(keys)), done.written, len(keys) - len(set(rows)), len(rows) - len(set(rows)), seconds)],
        gettext("Crashed when a third was written: {component}.").format(
            component=struck[0].component if struck else gettext("nobody")
        ),
    )


def users(primary: Cluster, standby: Cluster) -> Users:
    """The cards in both clusters, and users of seven services that differ in their protections."""
    return Users(primary, standby, _file())


def trial(asked: Users, fault: str = "coordinator crashes") -> Trial:
    """What users of the seven services meet under one of the five faults; first ask for the prediction."""
    ask_for_prediction(", ".join(FAULTS[fault]))
    return asked.trial(FAULTS[fault])


def five_faults(asked: Users, first: Trial) -> dict[str, Trial]:
    """The trials of all five faults; `first` is the coordinator's, measured already. About three minutes."""
    others = {name: asked.trial(faults) for name, faults in list(FAULTS.items())[1:]}
    return {next(iter(FAULTS)): first, **others}


def three_numbers(measured: Trial) -> Table:
    """Unanswered, wrong and degraded questions of each client since the fault, and the load it made."""
    return table(
        gettext("Of {rate:g} questions a second, since the fault").format(rate=RATE),
        (
            gettext_noop("client"),
            gettext_noop("questions"),
            gettext_noop("unanswered"),
            gettext_noop("wrong"),
            gettext_noop("degraded"),
            gettext_noop("requests a question"),
        ),
        [
            (gettext(fate.client), fate.questions, fate.unanswered, fate.wrong, fate.degraded, fate.load)
            for fate in fates(measured)
        ],
        gettext("Wrong: given as a good answer, and without the passage that answers the question."),
        gettext("Degraded: maybe worse than usual, and said so."),
    )


def loads(trials: dict[str, Trial]) -> Table:
    """Requests to Milvus for each question, by client and fault: what the protections cost."""
    of_faults = zip(*(fates(measured) for measured in trials.values()), strict=True)
    return table(
        gettext("Requests a question"),
        (gettext_noop("client"), *trials),
        [
            (gettext(of_client[0].client), *(f"{fate.load:.2f}" for fate in of_client))
            for of_client in of_faults
        ],
    )


def compare(measured: Trial) -> Table:
    """Prediction and measurement. A prediction counts if it was made before the run began."""
    predicted = prediction_before(measured.journal, 12)
    naive, *_, protected = fates(measured)
    return table(
        gettext("The coordinator's crash"),
        (
            "",
            gettext_noop("unanswered, naive"),
            gettext_noop("unanswered, protected"),
            gettext_noop("degraded, protected"),
        ),
        [
            (
                gettext("you said"),
                *(f"{predicted[q.name]:g}" if q.name in predicted else "-" for q in QUESTIONS),
            ),
            (
                gettext("measured"),
                naive.unanswered + naive.wrong,
                protected.unanswered + protected.wrong,
                protected.degraded,
            ),
        ],
    )


def reindex_under_load(asked: Users) -> Table:
    """Fill a second index, switch to it and back, while the best-protected users ask; what they met."""
    name = list(CLIENTS)[-1]
    run = probe(
        asked.primary,
        [Asking(name, asked.service(*CLIENTS[name]), asked.right)],
        rate=RATE,
        deadline=PATIENCE,
    )
    steps = ExperimentSteps(run)
    collection = PassageCollection(asked.primary.uri, NAME, replicas=COPIES)
    passages = list(asked.passages)
    known = [KnownQuestion.about(passage) for passage in passages[::5]]
    with run:
        steps.on_progress(gettext("filling the second index"))
        there = reindex(passages, collection, asked.vectors, known)
        steps.wait(2.0, gettext("{there} answers").format(there=there))
        back = switch_back(collection, asked.vectors, known)
        steps.wait(2.0, gettext("{back} answers again").format(back=back))
    samples = run.journal.samples()
    return table(
        gettext("{there} was filled, verified and switched to, then {back} again").format(
            there=there, back=back
        ),
        (
            gettext_noop("questions"),
            gettext_noop("answered well"),
            gettext_noop("degraded"),
            gettext_noop("unanswered or wrong"),
        ),
        [
            (
                str(len(samples)),
                sum(sample.outcome is Outcome.OK and not sample.error for sample in samples),
                sum(sample.outcome is Outcome.OK and bool(sample.error) for sample in samples),
                sum(sample.outcome is not Outcome.OK for sample in samples),
            )
        ],
    )


def drill(asked: Users, site: Cluster) -> Table:
    """Rehearse the loss of a site as in lesson 10, way home included; what users met since the loss: with one
    address, with two, and of this lesson's service. About a minute."""
    collection = PassageCollection(site.uri, NAME)
    ingest(course_root() / "cards", collection, asked.vectors, _file())
    app = UsersInDrill(asked, site)
    ended = rehearse(app, f"drills/{datetime.now():%Y-%m-%d-%H%M%S}", rate=RATE, deadline=PATIENCE)
    clients = [name for name in ended.journal.header.operations if name != "insert"]
    return table(
        gettext("Questions since the loss of the site"),
        (
            gettext_noop("client"),
            gettext_noop("questions"),
            gettext_noop("unanswered"),
            gettext_noop("wrong"),
            gettext_noop("degraded"),
        ),
        [
            (gettext(fate.client), fate.questions, fate.unanswered, fate.wrong, fate.degraded)
            for fate in fates(Trial(ended.journal, dict.fromkeys(clients, 0)))
        ],
        ended.report.verdict,
    )
