"""Lesson 1 reads off a cluster what stands in its definition of a single point of failure."""

from dataclasses import replace

import pytest

from halab.cluster.simulated import SimulatedCluster
from halab.lessons import card_findings, essence
from halab.lessons.common import experiment
from halab.lessons.essence import ONE, THREE, needs, one_and_three, parts, results, what_copies_did
from halab.measure.journal.journal_file import Journal
from halab.measure.probing.retriever import Retriever
from halab.models.samples import NOTHING_FOUND, Outcome, Sample


def test_the_proxy_that_clients_talk_to_is_a_role_of_its_own() -> None:
    roles = parts(SimulatedCluster())
    assert roles["proxy-1"] == "entry"
    assert roles["proxy-2"] == "proxy"
    assert list(roles.values()).count("etcd") == 3


def test_an_operation_needs_a_majority_of_etcd_and_one_of_the_rest() -> None:
    search = needs(SimulatedCluster())["search"]
    assert search["etcd"] == 2
    assert search["log"] == search["entry"] == 1
    assert "objectstore" not in search


def with_bad(one: int, three: int, empty: int = 0) -> Journal:
    """A node lost for 5 s: of a hundred searches so many got no answer, and so many later found nothing."""
    cluster = SimulatedCluster()
    single, many = Retriever(cluster, replicas=1), Retriever(cluster)
    asked = one_and_three(single, many)
    journal = experiment(
        cluster, "crash querynode-1", retriever=many, operations=asked, before=1, seconds=1, after=1
    )
    at = journal.faults[0].at

    def sample(name: str, n: int, bad: bool, error: str = "") -> Sample:
        sent = at + n / 20
        return Sample(name, n, sent, sent, sent, Outcome.FAIL if bad else Outcome.OK, error if bad else "")

    samples = [sample(name, n, n < bad) for name, bad in ((ONE, one), (THREE, three)) for n in range(100)]
    samples += [sample(THREE, n, n < 100 + empty, NOTHING_FOUND) for n in range(100, 200)]
    return Journal.write(
        journal.header, samples=samples, faults=[replace(journal.faults[0], undone_at=at + 5)]
    )


@pytest.mark.parametrize(
    ("one", "three", "said"),
    [
        (50, 2, "only the number of copies differs"),
        (50, 40, "three copies were hit as well"),
        (0, 0, "did not hold the single copy"),
    ],
)
def test_what_is_said_of_the_copies_follows_the_run(one: int, three: int, said: str) -> None:
    told = what_copies_did(with_bad(one, three))
    assert f"{one} of 100 searches of one copy got no good answer, and {three} of 100 of three" in told
    assert said in told
    assert "found nothing" not in told


def test_a_node_that_comes_back_empty_is_not_counted_as_gone() -> None:
    told = what_copies_did(with_bad(50, 2, empty=40))
    assert "and 2 of 100 of three" in told
    assert "Once it was **back**, 40 of three copies were answered and found nothing." in told
    assert told._repr_markdown_() == str(told)


def test_the_verdict_on_the_card_follows_the_run() -> None:
    def real(one: int, three: int) -> Journal:
        run = with_bad(one, three)
        header = replace(run.header, engine="embedded", simulated=False)
        return Journal.write(header, samples=run.samples(), faults=run.faults)

    said = results(real(50, 2), real(100, 100))
    assert said["parts-that-may-fail"].verdict == "held"
    assert "单副本的 100 次搜索有 50 次没有可用的结果" in said["parts-that-may-fail"].words.in_("zh")
    assert said["whole-system"].verdict == "held"
    said = results(real(50, 40), real(50, 2))
    assert {finding.verdict for finding in said.values()} == {"broken"}
    assert "parts-that-may-fail" not in results(real(0, 0), real(50, 2))
    simulated = results(with_bad(50, 2), with_bad(50, 2))
    assert {finding.verdict for finding in simulated.values()} == {"incomparable"}


def test_a_run_that_proves_nothing_is_told_for_the_record_and_on_the_card(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for room in (essence, card_findings):
        monkeypatch.setattr(room, "objections", lambda journal: ("The machine was busy.",))
    told = what_copies_did(with_bad(50, 2))
    assert told.startswith("For the record, though this run proves nothing: ")
    assert "50 of 100 searches of one copy got no good answer, and 2 of 100 of three" in told
    said = results(with_bad(50, 2), with_bad(100, 100))
    assert {found.verdict for found in said.values()} == {"unproven"}
