import pytest

from halab.models.protection import CELLS, DISASTERS, PROTECTIONS, Times, best, recovery
from halab.models.recovery import HOUR, Periodic


def helps(disaster, protection):
    return next(one.helps for one in CELLS if (one.disaster, one.protection) == (disaster, protection))


def test_the_table_is_whole_and_gives_a_reason_for_everything():
    assert len({(one.disaster, one.protection) for one in CELLS}) == len(DISASTERS) * len(PROTECTIONS)
    assert all(one.why.endswith(".") for one in CELLS)


def test_what_follows_the_log_answers_no_wrong_command():
    for disaster in ("wrong delete", "dropped collection"):
        assert helps(disaster, "replicas") == helps(disaster, "standby") == "no"
        assert helps(disaster, "backup") == "yes"


def test_what_lies_on_the_same_storage_goes_with_it():
    for disaster in ("ransomware", "site loss"):
        assert helps(disaster, "snapshots") == helps(disaster, "replicas") == "no"
        assert helps(disaster, "off-site backup") == "yes"


def test_no_protection_answers_everything_for_certain_and_two_together_do():
    for one in PROTECTIONS:
        assert any(answer.helps != "yes" for answer in best([one]))
    both = best(["standby", "off-site backup"])
    assert {answer.helps for answer in both} == {"yes"}


def test_a_certain_answer_goes_before_a_quicker_one_on_a_condition():
    found = {one.disaster: one for one in best(["replicas", "standby"])}
    assert (found["node loss"].protection, found["two nodes"].protection) == ("replicas", "standby")


def test_a_backup_is_as_old_as_its_interval_and_its_duration():
    times = Times(backups=Periodic(6 * HOUR, HOUR))
    assert recovery("backup", times) == (4 * HOUR, 7 * HOUR)
    assert recovery("replicas", times) == (15.0, 0.0)


def test_nothing_answers_nothing_and_a_wrong_name_is_refused():
    assert {one.protection for one in best([])} == {""}
    with pytest.raises(ValueError, match="prayer"):
        best(["prayer"])
