from halab.cluster.compose.containers import (
    balancer_port,
    etcd_root,
    main_pid,
    milvus_of,
    parse_containers,
    profile_of,
)
from halab.cluster.protocol import ROLES


def named(inspected):
    return {one.name: one for one in parse_containers(inspected)}


def test_every_container_with_a_role_of_the_course_is_a_component_in_the_order_of_the_roles(inspected):
    found = parse_containers(inspected)
    assert len(found) == 22  # without the balancer, which is no role of the course
    assert [ROLES.index(one.role) for one in found] == sorted(ROLES.index(one.role) for one in found)
    assert [one.name for one in found if one.role == "log"] == ["log-1", "log-2", "log-3"]


def test_what_docker_tells_is_read(inspected):
    one = named(inspected)["rootcoord-1"]
    assert (one.state, one.running, one.cpus) == ("running", True, 0.5)
    assert one.ports == {9091: 32798}
    assert one.session == one.address.replace("-", "") == f"{one.ip}:53100"
    assert 1.79e9 < one.started < 1.8e9


def test_a_proxy_is_known_by_the_port_of_its_clients_and_has_that_of_its_peers_in_its_session(inspected):
    one = named(inspected)["proxy-1"]
    assert (one.address, one.session) == (f"{one.ip}:19530", f"{one.ip}:19529")


def test_what_ended_by_itself_and_is_about_to_start_has_no_fault(inspected):
    one = named(inspected)["datacoord-1"]
    assert (one.state, one.fault(), one.restarts > 0) == ("restarting", "", True)


def test_a_fault_is_seen_by_what_docker_tells_whoever_made_it(inspected, service):
    service("rootcoord-1")["State"]["Status"] = "paused"
    service("querynode-1")["State"] |= {"Status": "exited", "ExitCode": 137}
    service("querynode-2")["State"] |= {"Status": "exited", "ExitCode": 0}
    service("etcd-1")["NetworkSettings"]["Networks"] = {}
    faults = {name: one.fault() for name, one in named(inspected).items() if one.fault()}
    assert faults == {
        "rootcoord-1": "hang",
        "querynode-1": "crash",
        "querynode-2": "stop",
        "etcd-1": "partition",
    }


def test_a_further_container_of_a_service_gets_the_next_number(inspected, service):
    labels = service("querynode-2")["Config"]["Labels"]
    labels["com.docker.compose.service"], labels["com.docker.compose.container-number"] = "querynode-3", "2"
    names = [one.name for one in parse_containers(inspected) if one.role == "querynode"]
    assert names == ["querynode-1", "querynode-3", "querynode-4"]


def test_clients_go_to_the_balancer_or_to_a_proxy_where_there_is_none(inspected, service):
    assert balancer_port(inspected) in (32793, 32803)
    service("balancer")["NetworkSettings"]["Ports"] = {
        "19530/tcp": [{"HostIp": "127.0.0.1", "HostPort": "19530"}]
    }
    assert balancer_port(inspected) == 19530
    assert balancer_port([]) == 0


def test_the_profile_and_the_root_in_etcd_are_told_by_the_containers(inspected, service):
    assert profile_of(parse_containers(inspected)) == "ha"
    assert etcd_root(parse_containers(inspected)) == "by-dev"
    inspected.remove(service("rootcoord-2"))
    service("rootcoord-1")["Config"]["Env"].append("ETCD_ROOT_PATH=lab")
    assert profile_of(parse_containers(inspected)) == "small"
    assert etcd_root(parse_containers(inspected)) == "lab"


def test_the_line_of_milvus_is_told_by_the_roles_and_the_image(inspected, service):
    assert milvus_of(parse_containers(inspected)) == "2.5"
    for number in (1, 2):
        config = service(f"rootcoord-{number}")["Config"]
        config["Image"] = "milvusdb/milvus:v2.6.22"
        config["Labels"] |= {
            "org.halab.role": "mixcoord", "com.docker.compose.service": f"mixcoord-{number}"
        }  # fmt: skip
    assert milvus_of(parse_containers(inspected)) == "2.6"
    assert profile_of(parse_containers(inspected)) == "ha"
    for number in (1, 2):
        service(f"rootcoord-{number}")["Config"]["Image"] = "milvusdb/milvus:v3.0.1"
    assert milvus_of(parse_containers(inspected)) == "3.0"
    assert named(inspected)["mixcoord-1"].session.endswith(":53100")


def test_a_pid_of_another_machine_is_none_of_ours(inspected, service):
    service("etcd-1")["State"]["Pid"] = 1  # this machine's first process, which is no container of the record
    assert main_pid(named(inspected)["etcd-1"]) is None
