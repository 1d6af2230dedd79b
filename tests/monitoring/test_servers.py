import shutil
import subprocess
from types import SimpleNamespace

import pytest
import yaml

from halab.errors import ClusterError
from halab.folders import course_root
from halab.monitoring import servers
from halab.monitoring.servers import (
    Ports,
    commands,
    find_programs,
    rule_files,
    targets,
    write_settings,
    write_targets,
)

PORTS = Ports(9990, 9993, 9995, 9994)


def part(name, role, address):
    return SimpleNamespace(name=name, role=role, address=address)


@pytest.fixture
def cluster():
    parts = [part("etcd-1", "etcd", "127.0.0.1:2379"), part("proxy-1", "proxy", "127.0.0.1:19530"),
             part("log", "log", "127.0.0.1:9092")]  # fmt: skip
    return SimpleNamespace(
        components=lambda: parts, loopback_port=lambda name, port: port if name == "proxy-1" else 0
    )


def check(*command):
    if shutil.which(command[0]) is None:
        pytest.skip("needs promtool and amtool, of Debian's packages")
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_what_is_missing_is_named_with_how_to_install_it(monkeypatch):
    monkeypatch.setattr(servers, "find_program", lambda *names: None if "alertmanager" in names else names[0])
    with pytest.raises(ClusterError, match="alertmanager is not installed") as caught:
        find_programs()
    assert "apt-get install prometheus prometheus-alertmanager" in caught.value.hint


def test_every_process_of_milvus_and_etcd_is_scraped_by_its_name(cluster):
    jobs = targets(cluster)
    assert jobs["milvus-etcd"][0]["labels"] == {"role": "etcd", "component": "etcd-1"}
    assert jobs["milvus"] == [
        {"targets": ["127.0.0.1:9091"], "labels": {"role": "proxy", "component": "proxy-1"}}
    ]


def test_both_take_their_settings_and_listen_on_loopback_only(cluster, tmp_path):
    write_targets(targets(cluster), tmp_path)
    write_settings(tmp_path, PORTS)
    check("promtool", "check", "config", tmp_path / "prometheus.yml")
    check("amtool", "check-config", tmp_path / "alertmanager.yml")
    started = commands(tmp_path, PORTS, {"prometheus": "p", "alertmanager": "a"})
    for words in started.values():
        listening = [word for word in words if "listen-address" in word]
        assert listening
        assert all(
            word.partition("=")[2].startswith("127.0.0.1:") or not word.partition("=")[2]
            for word in listening
        )


def test_the_containers_settings_are_taken_too(tmp_path):
    """The paths in them are the containers'; beside this they stand as docker-compose.yml mounts them."""
    folder = course_root() / "compose" / "monitoring"
    check("amtool", "check-config", folder / "alertmanager.yml")
    rules = tmp_path / "rules"
    rules.mkdir()
    for number, path in enumerate(rule_files()):
        shutil.copy(path, rules / f"{number}.yml")
    settings = (folder / "prometheus.yml").read_text().replace("/etc/prometheus/rules", str(rules))
    (tmp_path / "prometheus.yml").write_text(settings)
    check("promtool", "check", "config", tmp_path / "prometheus.yml")


def test_production_s_own_rules_are_loaded(tmp_path):
    write_settings(tmp_path, PORTS)
    names = yaml.safe_load((tmp_path / "prometheus.yml").read_text())["rule_files"]
    assert any(name.endswith("docs/production/alerts.yaml") for name in names)
