"""Lesson 1 reads off a cluster what stands in its definition of a single point of failure."""

import pytest

from halab.cluster.simulated import SimulatedCluster
from halab.lessons.common import experiment
from halab.lessons.essence import ONE, THREE, needs, one_and_three, parts, what_copies_did
from halab.measure.journal.journal_file import Journal
from halab.measure.probing.retriever import Retriever
from halab.models.samples import Outcome, Sample


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


def with_bad(one: int, three: int) -> Journal:
    """A journal in which so many of a hundred searches got no answer."""
    cluster = SimulatedCluster()
    single, many = Retriever(cluster, replicas=1), Retriever(cluster)
    journal = experiment(cluster, None, retriever=many, operations=one_and_three(single, many), seconds=1)
    samples = [
        Sample(name, n, n / 20, n / 20, n / 20, Outcome.FAIL if n < bad else Outcome.OK)
        for name, bad in ((ONE, one), (THREE, three))
        for n in range(100)
    ]
    return Journal.write(journal.header, samples=samples)


@pytest.mark.parametrize(
    ("one", "three", "said"),
    [
        (50, 2, "only the number of copies differs"),
        (50, 40, "three copies were hit as well"),
        (0, 0, "Nobody noticed"),
    ],
)
def test_what_is_said_of_the_copies_follows_the_run(one: int, three: int, said: str) -> None:
    told = what_copies_did(with_bad(one, three))
    assert f"{one} of 100 searches of one copy, {three} of 100 of three" in told
    assert said in told


def test_of_a_run_that_proves_nothing_it_says_only_that(monkeypatch: pytest.MonkeyPatch) -> None:
    from halab.measure.journal import validity

    monkeypatch.setattr(validity, "objections", lambda journal: ("The machine was busy.",))
    assert what_copies_did(with_bad(50, 2)).startswith("This proves nothing. The machine was busy.")
