import socket
import stat
from collections import Counter

import pytest

from halab.cluster.embedded import ports, spec
from halab.cluster.embedded.ports import free_ports
from halab.errors import ClusterError


def test_the_ha_profile_has_a_spare_of_everything_that_matters(make):
    members = Counter(process.role for process in make().processes)
    assert members["etcd"] == 3
    assert members["querynode"] == 3
    assert all(members[role] == 2 for role in ("rootcoord", "querycoord", "datacoord", "datanode", "proxy"))


def test_the_small_profile_has_one_of_each(make):
    assert set(Counter(process.role for process in make("small").processes).values()) == {1}


@pytest.mark.parametrize("profile", ["ha", "small"])
def test_no_two_processes_share_a_port(make, profile):
    given = [port for process in make(profile).processes for port in process.ports.values()]
    assert len(given) == len(set(given)) == spec.ports_needed(profile)


def test_two_clusters_share_no_prefix(make):
    assert make(name="prim").prefix != make(name="dr").prefix


def test_a_spec_survives_its_file_which_only_its_owner_may_read(make):
    made = make()
    made.save()
    assert spec.ClusterSpec.load(made.folder) == made
    assert stat.S_IMODE((made.folder / "cluster.json").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("name", "profile", "ttl", "words"),
    [
        ("Lab", "ha", 10, "lower-case"),
        ("../up", "ha", 10, "lower-case"),
        ("lab", "huge", 10, "no profile"),
        ("lab", "ha", 1, "from 2 to 120"),
        ("lab", "ha", 2.5, "whole seconds"),
    ],
)
def test_settings_that_cannot_be_are_refused_with_the_reason(name, profile, ttl, words):
    with pytest.raises(ClusterError, match=words):
        spec.check_settings(name, profile, ttl)


def test_a_port_that_somebody_listens_on_is_not_free():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert not ports.is_free(taken.getsockname()[1])


def test_ports_that_other_clusters_reserved_are_left_alone():
    reserved = set(range(ports.FIRST, ports.LAST - 200))
    assert not reserved & set(free_ports(10, reserved))


def test_too_few_free_ports_is_an_error_that_counts_them():
    with pytest.raises(ClusterError, match="needs 5 free ports"):
        free_ports(5, range(ports.FIRST, ports.LAST - 3))
