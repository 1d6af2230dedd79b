"""What a process does to itself, tried in a process of its own."""

import subprocess
import sys
import textwrap

import pytest

from halab.grading.sandbox import confine

pytestmark = [
    pytest.mark.grading,
    pytest.mark.skipif(sys.platform != "linux", reason="Linux alone can shut a process in"),
]


def after(steps, then, cwd):
    """What a new process prints that takes these steps and then runs this."""
    code = "import ctypes, os, socket, sys\nfrom halab.grading.sandbox import confine\n"
    code += "libc = ctypes.CDLL(None)\n"
    code += textwrap.dedent(steps) + "\n" + textwrap.dedent(then)
    done = subprocess.run([sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


REFUSE = "confine.drop_capabilities()\nprint(confine.install_seccomp_filter())"


@pytest.mark.parametrize(
    "call",
    [
        "os.memfd_create('hoard')",
        "socket.socket(socket.AF_INET)",
        "socket.socket(socket.AF_UNIX)",
        "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    ],
)
def test_refused_calls_raise(tmp_path, call):
    then = f"try: {call}\nexcept PermissionError: print('refused')"
    assert after(REFUSE, then, tmp_path) == "True\nrefused"
    assert after("", then, tmp_path) != "refused"


@pytest.mark.parametrize("call", ["libc.unshare(0x10000000)", "libc.ptrace(0, 0, 0, 0)", "libc.prctl(1, 9)"])
def test_refused_calls_fail(tmp_path, call):
    assert after(REFUSE, f"print({call})", tmp_path) == "True\n-1"
    assert after("", f"print({call})", tmp_path) == "0"


def test_processes_threads_and_local_sockets_still_work(tmp_path):
    then = """
    import subprocess, threading
    thread = threading.Thread(target=print, args=("thread",))
    thread.start()
    thread.join()
    one, other = socket.socketpair()
    one.sendall(b"x")
    print(other.recv(1), subprocess.run(["echo", "program"], capture_output=True).stdout)
    sys.exit(os.waitpid(os.fork() or os._exit(0), 0)[1])
    """
    assert after(REFUSE, then, tmp_path) == "True\nthread\nb'x' b'program\\n'"


def test_a_process_under_landlock_reads_and_writes_what_it_may(tmp_path):
    if not confine.landlock_version():
        pytest.skip("this Linux has no Landlock")
    (tmp_path / "mine").mkdir()
    (tmp_path / "secret").write_text("x")
    steps = f"print(confine.apply_landlock(['/usr'], [{str(tmp_path / 'mine')!r}]))"
    then = f"""
    open({str(tmp_path / "mine" / "note")!r}, "w").write("x")
    for mode in ("r", "a"):
        try: open({str(tmp_path / "secret")!r}, mode)
        except PermissionError: print("kept out")
    """
    assert after(steps, then, tmp_path) == "True\nkept out\nkept out"
    assert (tmp_path / "mine" / "note").read_text() == "x"


def test_a_process_in_namespaces_of_its_own_can_write_to_an_empty_folder_alone(tmp_path):
    (tmp_path / "there").write_text("x")
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "hidden").write_text("x")
    then = f"""
    if not confine.new_namespaces({str(inner)!r}):
        print("none")
        sys.exit()
    if os.fork() == 0:
        os.chdir({str(inner)!r})
        print(os.getpid(), os.listdir("."))
        open("note", "w").write("x")
        for change in (lambda: os.chmod({str(tmp_path / "there")!r}, 0o777), lambda: open("../new", "w")):
            try: change()
            except OSError as error: print(error.strerror)
        sys.stdout.flush()
        os._exit(0)
    os.wait()
    """
    printed = after("", then, tmp_path)
    if printed == "none":
        pytest.skip("this system gives no namespaces")
    assert printed == "1 []\nRead-only file system\nRead-only file system"
    assert [path.name for path in inner.iterdir()] == ["hidden"]
    assert not (tmp_path / "new").exists()


def test_limits_are_set_for_good(tmp_path):
    then = """
    import resource
    for what, most in confine.LIMITS.items():
        assert resource.getrlimit(what) == (most, most)
    try: bytearray(confine.LIMITS[resource.RLIMIT_AS])
    except MemoryError: print("too much")
    """
    assert after("confine.set_resource_limits(processes=True)", then, tmp_path) == "too much"
