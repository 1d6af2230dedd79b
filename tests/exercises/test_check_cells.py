"""What check cells print in a real kernel, and that other cells are left alone."""

from unittest import mock

import pytest
from jupyter_client.manager import start_new_kernel

pytestmark = pytest.mark.grading

FIRST = """
from halab.exercises.check_cells import speak_in_notebook
from halab.exercises.expectations import call_many, expect
class checks:
    def check_sum(add):
        expect(call_many(add, [(1, 2)]) == [3], "One and two make three.", "06.1.sum")
def ask():
    raise EOFError("EOF when reading a line")
speak_in_notebook()
speak_in_notebook()
"""


@pytest.fixture(scope="module")
def shown():
    """Runs a cell, and gives what stands below it."""
    manager, client = start_new_kernel(kernel_name="python3")

    def run(source, metadata=None):
        """With the cell's metadata, as JupyterLab sends it."""
        texts = []

        def keep(message):
            content = message["content"]
            texts.append("\n".join(content.get("traceback", [])) or content.get("text", ""))

        message = client.session.msg("execute_request", {"code": source, "silent": False})
        message["metadata"] = metadata or {}
        with mock.patch.object(client.session, "msg", return_value=message):
            client.execute_interactive(source, timeout=60, output_hook=keep)
        return "".join(texts).strip()

    assert run(FIRST) == ""
    yield run
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("return a + b", "✓ passed"),
        ("return a * b", "Why: One and two make three.\nNext step: halab hint 06.1.sum"),
        ("raise NotImplementedError()", "✗ Nothing is written here yet."),
        (
            "return a / 0",
            "✗ Your code stopped with ZeroDivisionError: division by zero. It was called as add(1, 2).",
        ),
        ("return nowhere", "✗ name 'nowhere' is not defined: its cell is unanswered, or stopped early."),
    ],
)
def test_a_check_cell_says_in_a_line_or_two_what_it_found(shown, answer, says):
    assert shown(f"def add(a, b):\n    {answer}") == ""
    assert shown("# A sum is a sum\nchecks.check_sum(add)") == says


def test_an_answer_that_is_not_there_is_told_and_not_traced(shown):
    assert shown("checks.check_sum(missing)").startswith("✗ name 'missing' is not defined")


def test_a_check_of_what_was_defined_before_a_syntax_error_says_so(shown):
    shown("def add(a, b):\n    return a + b")
    shown("def add(a, b:\n    return a + b")
    passed = shown("checks.check_sum(add)")
    assert passed.startswith("✓ passed\nMind: this was the add from before.")
    assert "SyntaxError" in passed
    shown("def add(a, b):\n    return a + b")
    assert shown("checks.check_sum(add)") == "✓ passed"


def test_a_check_says_what_it_was_worth(shown):
    shown("def add(a, b):\n    return a + b")
    assert shown("checks.check_sum(add)", {"nbgrader": {"points": 2}}) == "✓ passed, 2 points"
    assert shown("checks.check_sum(add)", {"nbgrader": {"points": 1}}) == "✓ passed, 1 point"


@pytest.mark.parametrize(
    ("cell", "cause"),
    [
        ("total = ask()  # as input() does", "✗ Your code stopped at input()"),
        ("def total(:\n    pass", "✗ Your code stopped with SyntaxError: "),
        ("total = 1 / 0", "✗ Your code stopped with ZeroDivisionError: division by zero"),
    ],
)
def test_the_first_cause_is_told_and_not_the_name_that_is_missing_for_it(shown, cell, cause):
    shown("globals().pop('total', None)\nNone")
    shown(cell)
    assert shown("checks.check_sum(total)").startswith(cause)
    shown("total = sum")
    assert not shown("checks.check_sum(missing)").startswith(cause), "another name has another cause"


def test_other_cells_show_their_errors_and_nothing_else_as_ever(shown):
    assert "ZeroDivisionError" in (trace := shown("def fail():\n    1 / 0\nfail()"))
    assert "line 2" in trace or "----> 2" in trace or "      2" in trace
    assert shown("1 + 1\nNone") == ""
