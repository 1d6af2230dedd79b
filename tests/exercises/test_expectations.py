import pytest
from IPython.core.interactiveshell import InteractiveShell

from halab.exercises.expectations import CheckFailed, expect, hint_in


def test_what_is_met_says_nothing():
    expect(True, "anything", "06.1.rto")


def test_what_is_not_met_carries_the_behaviour_and_the_way_to_the_hint():
    with pytest.raises(CheckFailed) as caught:
        expect(False, "Separate blips stay separate.", "06.1.blips")
    assert caught.value.behaviour == "Separate blips stay separate."
    assert hint_in(str(caught.value)) == "06.1.blips"


def test_a_text_without_a_hint_has_none():
    assert hint_in("ValueError: halab hint") == ""


def test_a_notebook_shows_the_behaviour_and_no_line_of_the_test(capsys):
    shell = InteractiveShell()
    shell.run_cell(
        "from halab.exercises.expectations import expect\n"
        "expect(False, 'Waits double.', '06.2.backoff')  # secret"
    )
    shown = capsys.readouterr().out
    assert "Expected: Waits double." in shown
    assert "halab hint 06.2.backoff" in shown
    assert "secret" not in shown
    assert "Traceback" not in shown
