"""What lesson 9 calls: health checks on a cluster, measured detection beside formula, card and prediction.

The learner predicts, of a crash and of a hang under the card's faster settings, `noticed`: after how many
seconds the probe has noticed it.
"""

from __future__ import annotations

from collections.abc import Sequence

from halab.cluster.protocol import Cluster
from halab.course.cards import card
from halab.course.paths import course_root
from halab.lessons.card_findings import finding, listed, named, said_before, sound, unproven
from halab.lessons.common import (
    PredictionForm,
    Question,
    Retriever,
    ask_for_prediction,
    cluster,
    keep,
    prediction_before,
    show_card,
    table,
)
from halab.measure.experiments import kubelet_experiments as experiments
from halab.measure.experiments.kubelet import Pod
from halab.measure.experiments.kubelet_experiments import (
    dependency_outage,
    detection_times,
    health_probes_of,
    outage_checks,
    restarts,
    stalling_process,
    tcp_http_passes,
    tcp_vs_http,
    usual_pod,
)
from halab.measure.journal.experiment_name import probed, run_name
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.title_marks import mark_title, run_remarks
from halab.models.health_probes import CARD as CARD_PROBE
from halab.models.health_probes import TUNED as TUNED_PROBE
from halab.models.health_probes import HealthProbe, ProbedFault, detection
from halab.tables import Row, Table
from halab.translation import LazyText, gettext, gettext_lazy, gettext_noop, language
from halab.widgets.architecture_map import ArchitectureMap
from halab.widgets.card_view import Finding
from halab.widgets.probe_tuner import ProbeTuner

__all__ = [
    "CARD_PROBE",
    "QUESTIONS",
    "TUNED_PROBE",
    "ArchitectureMap",
    "HealthProbe",
    "PredictionForm",
    "ProbeTuner",
    "Retriever",
    "cluster",
    "compare_detection",
    "compare_outage_checks",
    "compare_restarts",
    "compare_tcp_http",
    "dependency_outage",
    "health_check",
    "keep",
    "results",
    "show_card",
    "stalling_process",
    "table",
    "tcp_vs_http",
    "usual_pod",
    "values_yaml",
    "what_followed",
]


def _probed(probe: HealthProbe) -> str:
    return probed(probe.period, probe.timeout, probe.failures)


def _question(kind: str, words: LazyText) -> Question:
    run = f"{kind} any query node, {_probed(TUNED_PROBE)}"
    return Question(run, "noticed", words, gettext_lazy("s after the fault"))


QUESTIONS = (
    _question("crash", gettext_lazy("A crashed query node is noticed")),
    _question("hang", gettext_lazy("A hung query node is noticed")),
)
"""What the lesson asks before the two faults under the card's faster settings."""


def health_check(
    cluster: Cluster, fault: str, *, pod: Pod, retriever: Retriever, watch: bool = False
) -> Journal:
    """A fault that a kubelet alone mends, as `halab.measure.experiments.kubelet_experiments` measures it."""
    if pod.liveness is not None:
        ask_for_prediction(run_name([fault], cluster.ttl, probed=_probed(pod.liveness.probe)))
    return experiments.health_check(cluster, fault, pod=pod, retriever=retriever, watch=watch)


def compare_detection(*journals: Journal) -> Table:
    """Prediction, card, formula and measurement of each fault. Raises MeasurementError.

    A prediction counts if it was made before the measurement began.
    """
    return Table(
        mark_title(gettext("A fault between two probes: when is it noticed, and when repaired?"), *journals),
        (
            gettext_noop("fault"),
            gettext_noop("liveness probe"),
            gettext_noop("you said"),
            gettext_noop("the card says"),
            gettext_noop("the formula says"),
            gettext_noop("noticed"),
            gettext_noop("ready again"),
        ),
        tuple(_detected(journal) for journal in journals),
        (
            *run_remarks(*journals),
            gettext("Seconds after the fault. The card's figure is period x threshold."),
        ),
    )


def compare_restarts(*journals: Journal) -> Table:
    """How often a healthy process that stalls was restarted, by the probe that watched it."""
    return Table(
        mark_title(gettext("A healthy process that stalls now and then"), *journals),
        (gettext_noop("liveness probe"), gettext_noop("probes that failed"), gettext_noop("restarts")),
        tuple(
            (
                _settings(journal),
                str(sum(event.kind == "liveness failed" for event in journal.events)),
                str(restarts(journal)),
            )
            for journal in journals
        ),
        (
            *run_remarks(*journals),
            gettext(
                "A pause fails a probe only if one falls into it, so the same pauses need not fail as many. "
                "The process is restarted when so many fail one after the other, with no good one between."
            ),
        ),
    )


def compare_outage_checks(*journals: Journal) -> Table:
    """What /healthz and the synthetic query said while something behind them was broken."""

    def row(journal: Journal) -> Row:
        checks, fault = outage_checks(journal), journal.faults[0]
        return (
            f"{fault.kind} {fault.target}",
            gettext("{healthy} of {checks} passed").format(healthy=checks.healthy, checks=checks.checks),
            gettext("{answered} of {searches} answered").format(
                answered=checks.answered, searches=checks.searches
            ),
        )

    headings = (gettext_noop("what was broken"), "/healthz", gettext_noop("the synthetic query"))
    rows = tuple(map(row, journals))
    late = gettext(
        "A few failed checks of /healthz may only have been late: a machine that others use does that too."
    )
    some = any(0 < seen.checks - seen.healthy < seen.checks / 10 for seen in map(outage_checks, journals))
    remarks = (*run_remarks(*journals), *([late] if some else []))
    return Table(mark_title(gettext("Who sees it?"), *journals), headings, rows, remarks)


def compare_tcp_http(*journals: Journal) -> Table:
    """What tcpSocket and httpGet said of a process while it was broken."""

    def row(journal: Journal) -> Row:
        passes, fault = tcp_http_passes(journal), journal.faults[0]
        return (
            f"{fault.kind} {fault.component}",
            gettext("{tcp_passed} of {tcp} passed").format(tcp_passed=passes.tcp_passed, tcp=passes.tcp),
            gettext("{http_passed} of {http} passed").format(
                http_passed=passes.http_passed, http=passes.http
            ),
        )

    headings = (gettext_noop("what was broken"), "tcpSocket", gettext_noop("httpGet /healthz"))
    heading = mark_title(gettext("Two ways to ask, while nothing answers"), *journals)
    return Table(heading, headings, tuple(map(row, journals)), run_remarks(*journals))


def results(*journals: Journal) -> dict[str, Finding]:
    """What measured faults say to claims of card 9, by claim id."""
    claims = card(9, "en").claims
    runs_by_claim: dict[str, list[Journal]] = {}
    for journal in journals:
        probe = health_probes_of(journal)["liveness"]
        for claim in ("detection-before", "detection-after"):
            if claims[claim].high == probe.period * probe.failures:
                runs_by_claim.setdefault(claim, []).append(journal)
    findings: dict[str, Finding] = {}
    for claim, runs in runs_by_claim.items():
        well = sound(*runs)
        findings |= {claim: _finding(claims[claim].high, well)} if well else unproven(claim)
    return findings


_FAULTS = {"crash": gettext_lazy("a crash"), "hang": gettext_lazy("a hang")}


def _finding(says: float, journals: Sequence[Journal]) -> Finding:
    """What faults under the card's settings say to the seconds that it promises."""
    times = [(journal.faults[0].kind, detection_times(journal).verdict) for journal in journals]
    late = [_FAULTS[kind] for kind, time in times if time is None or time > says]
    return finding(
        journals,
        "broken" if late else "held",
        listed(_noticed(_FAULTS[kind], time) for kind, time in times),
        named(late),
        measured=[time for _, time in times if time is not None],
        predicted=said_before(journals, 9, "noticed"),
    )


def _noticed(fault: LazyText, time: float | None) -> LazyText:
    if time is None:
        return gettext_lazy("{fault}: not noticed", fault=fault)
    return gettext_lazy("{fault}: noticed after {seconds:.1f} s", fault=fault, seconds=time)


def _detected(journal: Journal) -> Row:
    fault, probe, times = journal.faults[0], health_probes_of(journal)["liveness"], detection_times(journal)
    kind: ProbedFault = "hang" if fault.kind == "hang" else "crash"
    span = detection(probe, kind)
    claims = card(9, "en").claims
    says = next(
        (
            gettext("{time} s").format(time=f"{claim.high:g}")
            for claim in (claims["detection-before"], claims["detection-after"])
            if claim.high == probe.period * probe.failures
        ),
        "-",
    )
    return (
        f"{fault.kind} {fault.component}",
        _settings(journal),
        _predicted(journal),
        says,
        gettext("no probe is needed")
        if _exit_seen(journal)
        else gettext("{least:g} to {most:g} s").format(least=span.least, most=span.most),
        _seconds(times.verdict),
        _seconds(times.ready),
    )


def _settings(journal: Journal) -> str:
    return _numbers(health_probes_of(journal)["liveness"])


def _numbers(probe: HealthProbe) -> str:
    return gettext("every {period:g} s, timeout {timeout:g} s, {failures} in a row").format(
        period=probe.period, timeout=probe.timeout, failures=probe.failures
    )


def _predicted(journal: Journal) -> str:
    figures = prediction_before(journal, 9)
    return gettext("{time} s").format(time=f"{figures['noticed']:g}") if "noticed" in figures else "-"


def _seconds(time: float | None) -> str:
    return gettext("not at all") if time is None else gettext("{time} s").format(time=f"{time:.1f}")


def what_followed(journal: Journal) -> Table:
    """What the kubelet did about the fault, and when, in seconds after it."""
    times = detection_times(journal)
    rows = (
        (gettext("out of service: {out_by}").format(out_by=_out_by(journal)), _seconds(times.out)),
        (gettext("noticed: {noticed_by}").format(noticed_by=_noticed_by(journal)), _seconds(times.verdict)),
        (gettext("restarted"), _seconds(times.restarted)),
        (gettext("ready again"), _seconds(times.ready)),
    )
    fault = journal.faults[0]
    headings = (gettext_noop("what the kubelet did"), gettext_noop("after the fault"))
    title = mark_title(f"{fault.kind} {fault.component}", journal)
    readiness = health_probes_of(journal)["readiness"]
    asked = gettext("Readiness was asked apart from that: {settings}.").format(settings=_numbers(readiness))
    return Table(title, headings, rows, (*run_remarks(journal), asked))


def _out_by(journal: Journal) -> str:
    """Why the kubelet took the process out of service after the fault; no probe has to fail for that."""
    since = journal.faults[0].at
    reasons = [
        gettext(event.detail)
        for event in journal.events
        if (event.by, event.kind) == ("kubelet", "not ready") and event.time >= since
    ]
    return reasons[0] if reasons and not reasons[0].endswith("in a row") else gettext("readiness failed")


def _noticed_by(journal: Journal) -> str:
    """What the kubelet noticed the fault by: the exit of the process, if it watched it, or its probes."""
    return gettext("the exit was seen") if _exit_seen(journal) else gettext("liveness failed often enough")


def _exit_seen(journal: Journal) -> bool:
    """Whether the kubelet saw the process end, before its probes had failed often enough."""
    kinds = [event.kind for event in journal.events if event.by == "kubelet"]
    verdicts = [kind for kind in kinds if kind in ("unhealthy", "exit seen")]
    return verdicts[:1] == ["exit seen"]


def values_yaml() -> str:
    """The course's values for Milvus' Helm chart, with comments in the learner's language where there are."""
    folder = course_root() / "docs" / "production"
    explained = folder / f"values.{language()}.yaml"
    return (explained if explained.is_file() else folder / "values.yaml").read_text(encoding="utf-8")
