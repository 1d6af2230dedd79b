import importlib
import io
import json

import psutil
import pytest
from rich.console import Console
from typer.testing import CliRunner

from halab.cli import app
from halab.cluster.embedded import binaries

doctor = importlib.import_module("halab.cluster.doctor")  # halab.doctor is the function of that name


def verdicts(report):
    return {check.name: check.verdict for check in report.checks}


def test_an_unsupported_platform_fails_and_names_the_way_on(monkeypatch):
    monkeypatch.setattr(binaries.platform, "machine", lambda: "riscv64")
    (check,) = doctor._platform()
    assert check.verdict == "FAIL"
    assert "simulated" in check.advice


@pytest.mark.parametrize(("free", "verdict"), [(0.5, "FAIL"), (2, "WARN"), (8, "PASS")])
def test_memory_is_judged_by_what_a_cluster_needs(monkeypatch, free, verdict):
    memory = psutil.virtual_memory()._replace(available=free * doctor.GIB)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    (check,) = doctor._memory()
    assert check.verdict == verdict
    assert bool(check.advice) == (verdict != "PASS")


def test_a_full_disk_fails_with_the_folder_and_the_way_out(monkeypatch, home):
    usage = doctor.shutil.disk_usage(home)._replace(free=1)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: usage)
    checks = list(doctor._disk())
    assert {check.verdict for check in checks} == {"FAIL"}
    assert "HALAB_HOME" in checks[0].advice


def test_a_stale_folder_is_a_leftover_with_the_command_that_removes_it(make):
    make().save()
    (check,) = doctor._leftovers()
    assert check.verdict == "WARN"
    assert "halab down --all" in check.advice


def test_open_interfaces_are_told(monkeypatch):
    address = psutil.net_if_addrs()["lo"][0]
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: {"eth0": [address._replace(address="192.0.2.9")]})
    monkeypatch.setattr(psutil, "net_if_stats", lambda: {"eth0": psutil._ntp.snicstats(True, 0, 0, 0, "")})
    (check,) = doctor._interfaces()
    assert check.verdict == "WARN"
    assert "192.0.2.9" in check.found


def test_every_line_that_does_not_pass_says_what_to_do(home):
    for check in doctor.doctor().checks:
        assert check.verdict == "PASS" or check.advice, check


def test_a_report_is_a_table_in_a_terminal_and_in_a_notebook():
    report = doctor.Report([doctor.Check("memory", "FAIL", "none", "buy some")])
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(report)
    shown = console.export_text()
    assert "buy some" in shown
    assert "✗ FAIL" in shown
    assert shown.splitlines()[-1] == report.verdict
    assert "buy some" in repr(report)
    assert "buy some" in report._repr_html_()
    assert not report.ok


@pytest.mark.parametrize(
    ("verdicts", "told"),
    [
        (("PASS", "PASS"), "✓ Ready: clusters run here, and every check passed."),
        (("PASS", "WARN"), "! Ready: clusters run here. Worth a look: disk."),
        (("FAIL", "WARN"), "✗ Not ready: memory failed."),
    ],
)
def test_the_last_line_is_the_verdict(verdicts, told):
    checks = [
        doctor.Check(name, verdict, "none")
        for name, verdict in zip(("memory", "disk"), verdicts, strict=True)
    ]
    report = doctor.Report(checks)
    assert report.verdict.startswith(told)
    assert repr(report).splitlines()[-1].startswith(told)
    assert told in report._repr_html_()


def test_the_command_fails_when_a_check_fails(monkeypatch):
    report = doctor.Report([doctor.Check("memory", "FAIL", "none", "buy some")])
    monkeypatch.setattr("halab.commands.cluster_commands.examine", lambda: report)
    result = CliRunner().invoke(app, ["doctor", "--json"])
    assert result.exit_code == 1
    assert json.loads(result.output)[0]["advice"] == "buy some"


@pytest.mark.parametrize(
    ("script", "verdict", "found"),
    [("exit 0", "PASS", "isolates the code"), ("echo no namespaces >&2; exit 1", "WARN", "no namespaces")],
)
def test_a_sandbox_is_tried_and_not_only_looked_for(monkeypatch, tmp_path, script, verdict, found):
    fake = tmp_path / "bwrap"
    fake.write_text(f"#!/bin/sh\n{script}\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    (check,) = doctor._sandbox()
    assert check.verdict == verdict
    assert found in check.found


def test_without_bubblewrap_it_is_said_what_grading_falls_back_to(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    (check,) = doctor._sandbox()
    assert check.verdict == "WARN"
    assert "process limits" in check.found
    assert "bubblewrap" in check.advice


def test_without_haproxy_a_lesson_goes_on_and_it_is_said_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setattr(importlib.import_module("halab.cluster.kept_processes"), "_FOLDERS", ())
    monkeypatch.setenv("PATH", str(tmp_path))
    (check,) = doctor._balancer()
    assert check.verdict == "WARN"
    assert "apt-get install haproxy" in check.advice
    fake = tmp_path / "haproxy"
    fake.write_text("#!/bin/sh\necho HAProxy version 2.6.12-1 2026/10/17\n")
    fake.chmod(0o755)
    (check,) = doctor._balancer()
    assert (check.verdict, check.found) == ("PASS", "HAProxy 2.6.12-1, for lesson 5")
