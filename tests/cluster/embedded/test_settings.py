import json
from pathlib import Path

import pytest
import yaml

from halab.cluster.embedded import binaries, settings

TEMPLATE = """
etcd:
  endpoints: localhost:{{ etcd_port(int): 2379 }}
  data: {dir: {{ etcd_data_dir }}}
grpc: {client: {maxBackoff: 10, dialTimeout: 200}}
common: {session: {ttl: 30, retryTimes: 30}, storageType: local}
"""


def read(spec):
    return yaml.safe_load(settings.milvus_yaml(spec, TEMPLATE, ["127.0.0.1:1", "127.0.0.1:2"]))


def test_our_settings_replace_the_templates_and_leave_the_rest(make):
    found = read(make(ttl=7))
    assert found["common"]["session"] == {"ttl": 7, "retryTimes": 30}
    assert found["grpc"]["client"]["dialTimeout"] == 200
    assert found["grpc"]["client"]["maxBackoff"] == 1
    assert found["etcd"]["endpoints"].count(",") == 2
    assert found["kafka"]["brokerList"] == "127.0.0.1:1,127.0.0.1:2"


@pytest.mark.parametrize(("profile", "standby"), [("ha", True), ("small", False)])
def test_standby_is_on_only_where_there_is_one(make, profile, standby):
    assert read(make(profile))["rootCoord"]["enableActiveStandby"] is standby


def test_the_wheels_template_can_be_read(make):
    if problem := binaries.platform_problem():
        pytest.skip(f"the milvus wheel is missing: {problem}")
    template = binaries._package_folder("milvus") / "data" / "config.yaml.template"
    found = yaml.safe_load(settings.milvus_yaml(make(), template.read_text(), []))
    assert found["mq"]["type"] == "kafka"
    assert found["common"]["storageType"] == "remote"


def test_a_learners_environment_does_not_leak_into_the_servers(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://elsewhere")
    monkeypatch.setenv("ETCD_NAME", "mine")
    monkeypatch.setenv("ROOTCOORD_PORT", "1")
    monkeypatch.setenv("LANG", "C.UTF-8")
    environment = settings._environment()
    assert not {"HTTPS_PROXY", "ETCD_NAME", "ROOTCOORD_PORT"} & set(environment)
    assert environment["LANG"] == "C.UTF-8"


def test_the_store_waits_for_no_clock_and_reaches_no_one(make):
    spec = make()
    fake = binaries.Binaries(*[Path(f"/{n}") for n in range(5)], versions={})
    argv = settings.command(spec.of_role("objectstore")[0], spec, fake).argv
    assert argv[1] == "mini", "`weed server` sleeps three seconds before S3 answers"
    assert {"-ip.bind=127.0.0.1", "-master.telemetry=false", "-s3.port.iceberg=0", "-s3.port.lance=0"} <= set(
        argv
    )


def test_readers_of_the_log_are_answered_within_a_time_tick(make):
    assert read(make())["kafka"]["consumer"]["fetch.wait.max.ms"] < 200


def test_every_process_is_told_every_port_it_was_given(make):
    spec = make()
    fake = binaries.Binaries(*[Path(f"/{n}") for n in range(5)], versions={})
    for process in spec.processes:
        start = settings.command(process, spec, fake)
        told = json.dumps([start.argv, start.env])
        assert all(str(port) in told for port in process.ports.values()), process.name


def test_brokers_are_unknown_until_the_log_has_written_them(tmp_path):
    assert settings.brokers_of(tmp_path) == []
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "log.json").write_text('{"brokers": ["127.0.0.1:5"]}')
    assert settings.brokers_of(tmp_path) == ["127.0.0.1:5"]
