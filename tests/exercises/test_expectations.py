import pytest
from IPython.core.interactiveshell import InteractiveShell

from halab.exercises.expectations import CheckFailed, example, expect, explain, hint_in


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
    assert "Why: Waits double." in shown
    assert "halab hint 06.2.backoff" in shown
    assert "secret" not in shown
    assert "Traceback" not in shown


@example(4, gives=3)
def check_majority(needed):
    expect([needed(size) for size in (10, 11)] == [6, 6], "More than half.", "03.2.majority")


def test_a_failed_check_tells_a_public_case_that_comes_out_wrong_too():
    with pytest.raises(CheckFailed) as caught:
        check_majority(lambda size: size // 2)
    assert caught.value.behaviour == "More than half. For example needed(4): expected 3, and 2 came."
    assert caught.value.hint == "03.2.majority"
    with pytest.raises(CheckFailed, match=r"needed\(4\): expected 3, and it raised KeyError"):
        check_majority(lambda size: 5 if size > 9 else {}[size])


def test_an_answer_that_stops_gets_the_public_case_if_it_stops_there_too():
    with pytest.raises(KeyError) as caught:
        check_majority(lambda size: {}[size])
    assert caught.value.__notes__ == ["For example needed(4): expected 3, and it raised KeyError."]
    with pytest.raises(KeyError) as caught:
        check_majority(lambda size: {4: 3}[size])
    assert not hasattr(caught.value, "__notes__")


def test_a_case_that_comes_out_right_is_not_told_and_a_right_answer_is_not_asked_for_it():
    with pytest.raises(CheckFailed) as caught:
        check_majority(lambda size: 3)
    assert caught.value.behaviour == "More than half."
    check_majority(lambda size: 6)


def test_of_a_cell_that_is_no_python_the_line_is_told_and_no_file_that_the_learner_does_not_have():
    said = explain("SyntaxError", "invalid syntax (<ipython-input-1-61bc5c13dbb9>, line 1)")
    assert said.endswith("invalid syntax (line 1)")
