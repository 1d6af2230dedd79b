"""What the descriptions of Milvus' versions say, and that what was read is told from what was measured."""

import pytest

from halab.cluster.protocol import ROLES
from halab.models.milvus_versions import ARCHITECTURES, COURSE
from halab.models.survival import OPERATIONS, members, single_losses, verdicts

TODAY = [version for version in ARCHITECTURES if version != COURSE]


def fates(version, *down, profile="ha", copies=3):
    architecture = ARCHITECTURES[version]
    found = verdicts(members(architecture.profiles[profile]), down, copies, facts=architecture.facts)
    return {verdict.operation: verdict.fate for verdict in found}


@pytest.mark.parametrize("version", ARCHITECTURES)
def test_a_description_knows_only_its_own_roles_and_says_each_thing_once(version):
    architecture = ARCHITECTURES[version]
    assert {fact.role for fact in architecture.facts} <= {*architecture.roles, "entry"}
    assert {fact.operation for fact in architecture.facts} == set(OPERATIONS)
    assert len({(one.operation, one.role, one.switch) for one in architecture.facts}) == len(
        architecture.facts
    )
    assert all(set(counts) == set(architecture.roles) for counts in architecture.profiles.values())


def test_only_the_course_version_was_measured_and_each_other_row_has_a_source():
    assert {role for each in ARCHITECTURES.values() for role in each.roles} == set(ROLES)
    assert ARCHITECTURES[COURSE].measured
    assert not ARCHITECTURES[COURSE].sources
    for version in TODAY:
        assert not ARCHITECTURES[version].measured
        assert all(fact.source.startswith("https://") for fact in ARCHITECTURES[version].facts)
        assert all(one.source.startswith("https://") for one in ARCHITECTURES[version].sessions)


def test_a_lost_proxy_that_nobody_uses_holds_up_nobody_today():
    assert fates(COURSE, "proxy-2")["search"] == "degrades"
    for version in TODAY:
        assert set(fates(version, "proxy-2").values()) == {"survives"}


def test_a_streaming_node_takes_its_channels_with_it_and_the_only_one_all():
    for version in TODAY:
        assert set(fates(version, "streamingnode-1").values()) == {"degrades"}
        assert set(fates(version, "streamingnode-1", profile="small").values()) == {"stops"}
        assert set(fates(version, "datanode-1", profile="small").values()) == {"survives"}


def test_with_woodpecker_the_object_store_is_the_log():
    assert fates("2.6", "objectstore")["insert"] == "survives"
    assert fates("2.6 woodpecker", "objectstore")["insert"] == "stops"
    woodpecker = ARCHITECTURES["2.6 woodpecker"]
    parts = members(woodpecker.profiles["ha"])
    assert set(single_losses(parts, "search", 3, facts=woodpecker.facts)) == {"proxy-1", "objectstore"}
