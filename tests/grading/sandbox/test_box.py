"""The sandbox itself: what comes back from a learner's process, and what becomes of it."""

import contextlib
import dataclasses
import json
import sys
import time

import psutil
import pytest

from halab.grading.sandbox import box as box_module
from halab.grading.sandbox import wire
from halab.grading.sandbox.box import (
    CellTimeout,
    LearnerError,
    ProcessExited,
    Reference,
    Sandbox,
    UndefinedName,
)
from halab.grading.sandbox.isolation import isolations
from support.busy_machine import busy_loops

pytestmark = pytest.mark.grading

# What a machine without namespaces for users does: the host cannot make any for its learners.
NO_NAMESPACES = """
import os, sys
from halab.grading.sandbox import confine
confine.drop_capabilities()
confine.install_seccomp_filter()
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def box(sandbox):
    with sandbox.box("ada") as box:
        yield box


def run(box, source, seconds=30.0):
    """The text a cell prints; an error in it fails the test."""
    outputs, error = box.run(source, box.limit(seconds))
    assert error is None
    return "".join(one.get("text", "") for one in outputs)


def pythons():
    """Python processes below this one: hosts, and learners' processes, which are copies of a host."""
    found = set()
    for one in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if "python" in one.name():
                found.add(one)
    return found


def test_cells_share_names_and_tell_outputs_and_errors(box):
    assert run(box, "import sys\nx = 2\nprint('out')\nprint('err', file=sys.stderr)") == "out\nerr\n"
    outputs, error = box.run("print('before')\nx / 0", box.limit(30))
    assert error == ("ZeroDivisionError", "division by zero")
    assert outputs[0].text == "before\n"
    assert box.get("x", box.limit(30)) == 2
    with pytest.raises(UndefinedName):
        box.get("y", box.limit(30))


def test_functions_are_called_where_they_are(box):
    run(box, "calls = []\ndef double(x, *, more=0):\n    calls.append(x)\n    return 2 * x + more")
    double = box.get("double", box.limit(30))
    assert isinstance(double, Reference)
    assert double(4, more=1) == 9
    assert double.calls([(1,), (2,)]) == [2, 4]
    run(box, "def hashed(x):\n    return hash(x)")
    hashed = box.get("hashed", box.limit(30))
    here, elsewhere = (hashed.calls([("text",), (7,)], elsewhere=where) for where in (False, True))
    assert (here[0] != elsewhere[0], here[1] == elsewhere[1]) == (True, True)
    run(box, "import os\nasked = []\ndef ask(x):\n    asked.append(x)\n    return len(asked), os.getpid()")
    ask = box.get("ask", box.limit(30))
    (first, process), (again, same) = (ask.calls([(1,)], elsewhere=where)[0] for where in (True, False))
    assert (first, again, process == same) == (1, 1, False)
    run(box, "def wrong(x):\n    raise ValueError(x)")
    with pytest.raises(ValueError, match="none"):
        box.get("wrong", box.limit(30)).calls([("none",)], elsewhere=True)
    assert box.get("calls", box.limit(30)) == [4, 1, 2]


def test_what_a_function_raises_is_raised_here_and_can_be_caught_by_its_kind(box):
    run(
        box,
        "def fails(kind):\n    raise kind('so')\nclass Own(Exception): pass\ndef own():\n    raise Own('so')",
    )
    fails = box.get("fails", box.limit(30))
    with pytest.raises(KeyError):
        fails(KeyError)
    with pytest.raises(LearnerError, match="so") as caught:
        box.get("own", box.limit(30))()
    assert caught.value.kind == "Own"
    for kind in (SystemExit, KeyboardInterrupt):
        with pytest.raises(LearnerError):
            fails(kind)
    run(box, "def many():\n    raise ExceptionGroup('so', [ValueError()])")
    with pytest.raises(LearnerError):
        box.get("many", box.limit(30))()


def test_a_late_cell_is_interrupted_and_the_next_one_runs(box):
    with pytest.raises(CellTimeout):
        box.run("x = 1\nimport time\ntime.sleep(600)", box.limit(0.5))
    assert run(box, "print(x)") == "1\n"


def call_on(function, after):
    """Call it again and again."""
    while True:
        function()
        after()


@pytest.mark.parametrize("call", ["pass", "time.sleep(0.002)", "sum(range(20_000))"])
def test_time_that_is_up_between_two_calls_leaves_the_process_to_the_next_test(box, call):
    run(box, f"import time\nkept = 7\ndef f():\n    {call}")
    for _ in range(3):
        limit = box.limit(0.4)
        function = box.get("f", limit)
        with pytest.raises(CellTimeout):  # calls that take next to none count as a millisecond each
            call_on(function, lambda limit=limit: setattr(limit, "under_way", limit.under_way + 0.001))
        assert box.get("kept", box.limit(30)) == 7


def test_waiting_for_a_core_is_not_the_learner_s_time(box):
    """Ten neighbours: half a second of computing takes seconds of the clock."""
    with busy_loops(10):
        began = time.monotonic()
        limit = box.limit(2.0)
        source = (
            "import time\nend = time.process_time() + 0.6\nwhile time.process_time() < end: pass\nprint(1)"
        )
        outputs, error = box.run(source, limit)
        took = time.monotonic() - began
    assert error is None
    assert outputs[0].text == "1\n"
    limit.look()
    assert 0.5 < limit.used < 1.5
    assert took > limit.used


def test_sleeping_is_the_learner_s_time_and_many_short_sleeps_are_too(box):
    run(box, "import time\ndef nap(): time.sleep(0.05)")
    limit = box.limit(1.0)
    nap, calls = box.get("nap", limit), []
    with pytest.raises(CellTimeout):
        call_on(nap, lambda: calls.append(1))
    assert len(calls) < 60
    assert box.run("print(1)", box.limit(30))[1] is None


def test_the_same_work_draws_the_same(sandbox):
    source = "import random\nprint(random.random(), hash('halab'), list({'a', 'b', 'c', 'd'}))"
    drawn = set()
    for learner in ("ada", "bo", "ada"):
        with sandbox.box(learner) as box:
            drawn.add(run(box, source))
    with Sandbox() as another, another.box("cy") as box:
        drawn.add(run(box, source))
    assert len(drawn) == 1


def test_a_learner_makes_no_session_and_holds_no_memory_that_nobody_counts(box):
    assert run(box, "import os\nbefore = os.getsid(0)\nif os.fork() == 0:\n    os.setsid()\n    os._exit("
                    "os.getsid(0) != before)\nprint(os.wait()[1])") == "0\n"  # fmt: skip
    _, error = box.run("import mmap\nmmap.mmap(-1, 1 << 20)", box.limit(30))
    assert error[0] == "PermissionError"
    assert run(box, "!echo hello").strip() == "hello"


def test_children_are_counted_that_nobody_collects_and_that_end_too_soon_to_be_seen(box):
    source = (
        "import os, signal, time\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
        "for _ in range(30):\n    if os.fork() == 0:\n        while time.process_time() < 0.05: pass\n"
        "        os._exit(0)\n    try: os.wait()\n    except ChildProcessError: pass"
    )
    before = box._usage().cpu
    run(box, source)
    assert box._usage().cpu - before > 0.05 * 30


def test_helpers_of_a_late_cell_are_ended_with_it(box):
    with pytest.raises(CellTimeout):
        box.run(
            "import subprocess\nhelper = subprocess.Popen(['sleep', '600'])\nhelper.wait()", box.limit(0.5)
        )
    assert run(box, "helper.wait()\nprint('ended')") == "ended\n"


def test_a_cell_that_cannot_be_interrupted_ends_its_process_and_says_so_from_then_on(box):
    source = "import time\nwhile True:\n    try: time.sleep(600)\n    except BaseException: pass"
    with pytest.raises(CellTimeout):
        box.run(source, box.limit(0.5))
    for _ in range(2):
        with pytest.raises(ProcessExited, match="could not be interrupted"):
            box.run("1", box.limit(30))


def test_each_learner_starts_afresh():
    leave = """
import builtins, os
builtins.abs = None
mark = 1
for folder in (".", "/tmp", "/dev/shm", "/"):
    try: open(f"{folder}/left", "w").write("x")
    except OSError: pass
if os.fork() == 0:
    os.setsid()
    import time
    time.sleep(600)
"""
    others = pythons()
    with Sandbox() as sandbox:
        with sandbox.box("ada") as box:
            run(box, leave)
            assert len(pythons() - others) > 2
        assert len(pythons() - others) == 1  # the host
        with sandbox.box("bo") as box:
            look = "import glob, os\nprint(abs(-4), os.environ['HALAB_LEARNER'], glob.glob('/*/left'))"
            assert run(box, look) == "4 bo []\n"
            with pytest.raises(UndefinedName):
                box.get("mark", box.limit(30))


@pytest.mark.parametrize(
    "answer",
    [
        '["ran"]',
        '["ran", [], 3, 4]',
        '["ran", {}, null]',
        json.dumps(["ran", [{"output_type": "stream", "name": "stdout", "text": ""}] * 501, None]),
        '["value"]',
        '["value", 1]',
        '["absent"]',
        "[]",
        "{}",
        "null",
        "[[]]",
        "[1]",
        "[",
        '["ran", [], null]]',
    ],
)
def test_what_is_no_answer_ends_the_process(box, answer):
    box.run(f"import json\njson.dumps = lambda value, **keywords: {answer!r}", box.limit(30))
    with pytest.raises(ProcessExited, match="something that is no answer"):
        box.run("1", box.limit(30))
    with pytest.raises(ProcessExited):
        box.get("x", box.limit(30))


@pytest.mark.parametrize(
    "value",
    [
        "{}",
        '{"a": 1, "b": 2}',
        '{"eval": "1"}',
        '{"set": [[]]}',
        '{"dict": [1]}',
        '{"ref": "x", "type": "y"}',
    ],
)
def test_a_value_that_is_no_data_ends_the_process(box, value):
    source = f"""
import json
dumps = json.dumps
json.dumps = lambda value, **keywords: '["value", {value}]' if value[0] == "value" else dumps(value)
x = 1
"""
    run(box, source)
    with pytest.raises(ProcessExited, match="something that is no answer"):
        box.get("x", box.limit(30))


def test_an_answer_may_name_any_kind_of_error(box):
    box.run(
        'import json\njson.dumps = lambda value, **keywords: \'["raised", "Error", "so"]\'', box.limit(30)
    )
    for kind in ("ExceptionGroup", "UnicodeDecodeError", "type", "\ud800", "", "x" * 10_000):
        source = f'import json\njson.dumps = lambda value, **keywords: \'["raised", "{kind}", "so"]\''
        with pytest.raises(LearnerError) as caught:
            box.run(source, box.limit(30))
        assert len(caught.value.kind) <= 100
        caught.value.kind.encode()


def test_an_answer_longer_than_allowed_is_not_waited_for(box):
    source = """
import os, socket
link = next(
    int(one) for one in os.listdir("/proc/self/fd")
    if os.path.lexists(f"/proc/self/fd/{one}") and os.readlink(f"/proc/self/fd/{one}").startswith("socket:")
)
os.write(link, b"\\xff" * 4)
import time
time.sleep(600)
"""
    with pytest.raises(ProcessExited, match="more than 4 MiB"):
        box.run(source, box.limit(60))


def test_a_result_larger_than_an_answer_costs_only_itself(box):
    run(box, f"def big():\n    return 'x' * {wire.MAX_BYTES}")
    with pytest.raises(LearnerError, match="takes more than 4 MiB"):
        box.get("big", box.limit(30))()
    assert run(box, "print('on')") == "on\n"


def test_outputs_are_kept_up_to_a_limit(box):
    assert len(run(box, "for _ in range(100): print('x' * 10_000)")) < 1.1 * wire.CHARACTERS
    flood = (
        "import sys\nfor _ in range(5000):\n    print('a', end='')\n    print('b', end='', file=sys.stderr)"
    )
    outputs, _ = box.run(flood, box.limit(30))
    assert len(outputs) == wire.OUTPUTS
    assert "left out" in outputs[-1].text
    outputs, _ = box.run("for _ in range(5000): display({}, raw=True)", box.limit(30))
    assert len(outputs) <= wire.OUTPUTS


def test_a_copy_of_the_process_answers_nothing(box):
    assert run(box, "import os\nfirst = os.getpid()\nos.fork()\nprint(os.getpid() == first)") == "True\n"
    assert run(box, "print('next')") == "next\n"


def test_more_memory_than_allowed_ends_the_process_and_no_other(sandbox):
    with sandbox.box("ada") as box, pytest.raises(ProcessExited, match="more than 2 GiB of memory"):
        box.run("hoard = []\nwhile True: hoard.append(bytearray(b'x') * (64 << 20))", box.limit(30))
    with sandbox.box("bo") as box:
        assert run(box, "print('on')") == "on\n"


def test_a_host_that_is_gone_is_replaced():
    others = set(psutil.Process().children(recursive=True))
    with Sandbox() as sandbox:
        with sandbox.box("ada"):
            for one in set(psutil.Process().children(recursive=True)) - others:
                with contextlib.suppress(psutil.NoSuchProcess):  # it went with its parent
                    one.kill()
        with sandbox.box("bo") as box:
            assert run(box, "print('on')") == "on\n"


def test_closing_leaves_no_process(tmp_path):
    before = set(psutil.Process().children(recursive=True))
    with Sandbox() as sandbox, sandbox.box("ada") as box:
        run(box, "import subprocess\nfor _ in range(5): subprocess.Popen(['sleep', '600'])")
        assert set(psutil.Process().children(recursive=True)) - before
    assert set(psutil.Process().children(recursive=True)) <= before


@pytest.fixture
def without_namespaces(monkeypatch):
    """A machine that has neither bubblewrap nor namespaces for users."""
    *_, weak = isolations()
    weak = dataclasses.replace(weak, before=(sys.executable, "-c", NO_NAMESPACES))
    monkeypatch.setattr(box_module, "isolations", lambda: iter([weak]))


def test_without_namespaces_learners_share_no_host_and_the_weakness_is_told(without_namespaces):
    others = set(psutil.Process().children())
    with Sandbox() as sandbox:
        hosts = []
        for learner in ("ada", "bo"):
            with sandbox.box(learner) as box:
                look = "import os\nprint(os.path.exists('left'))\nopen('left', 'w').close()"
                assert run(box, look) == "False\n"
                hosts.append(set(psutil.Process().children()) - others)
        assert hosts[0]
        assert not hosts[0] & hosts[1]
        assert "no namespaces of its own" in sandbox.warning


def test_without_namespaces_the_folder_is_limited_and_daemons_end(without_namespaces):
    before = set(psutil.Process().children(recursive=True))
    with Sandbox() as sandbox:
        with sandbox.box("ada") as box:
            fill = "for n in range(9): open(f'{n}', 'wb').write(bytes(60 << 20))\nimport time\ntime.sleep(30)"
            with pytest.raises(ProcessExited, match="more than 64 MiB"):
                box.run(fill, box.limit(60))
        with sandbox.box("bo") as box:
            daemon = """
import os
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execvp("sleep", ["sleep", "600"])
    os._exit(0)
os.wait()
"""
            run(box, daemon)
    assert set(psutil.Process().children(recursive=True)) <= before
