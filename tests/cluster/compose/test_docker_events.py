import time

from halab.cluster.compose.docker_events import Action, ActionLog, history

NAMES = {"a": "rootcoord-1", "b": "querynode-1"}
NOW = 1_795_000_000.0


def docker_events(*rows):
    """Docker's events as its command line prints them: (seconds, container, action, exit code)."""
    return [
        {
            "Action": action,
            "Actor": {"ID": identity, "Attributes": {"exitCode": str(code)}},
            "timeNano": int((NOW + at) * 1e9),
        }
        for at, identity, action, code in rows
    ]


def changes(events):
    return [(event.component, event.kind, event.by, event.detail) for event in events]


def test_what_ends_by_itself_was_milvus_and_what_starts_it_again_was_docker():
    events = history(docker_events((1, "a", "die", 134), (2, "a", "start", 0)), [], NAMES)
    assert changes(events) == [
        ("rootcoord-1", "exited", "milvus", "signal SIGABRT"),
        ("rootcoord-1", "restarted", "supervisor", "after it exited (signal SIGABRT)"),
    ]


def test_what_was_told_to_stop_was_the_user_even_by_hand():
    events = docker_events((1, "a", "kill", 0), (1.1, "a", "die", 137), (9, "a", "start", 0))
    assert changes(history(events, [], NAMES)) == [
        ("rootcoord-1", "ended", "user", "signal SIGKILL"),
        ("rootcoord-1", "started", "user", ""),
    ]


def test_out_of_memory_is_named():
    events = history(docker_events((1, "a", "oom", 0), (1.1, "a", "die", 137)), [], NAMES)
    assert changes(events) == [("rootcoord-1", "exited", "milvus", "out of memory")]


def test_an_action_of_halab_is_listed_once_and_by_its_own_name():
    actions = [
        Action(NOW + 1, NOW + 1, NOW + 1.4, "b", "querynode-1", "fault:crash", "user", "any query node"),
        Action(NOW + 9, NOW + 9, NOW + 9.5, "b", "querynode-1", "started", "user", "fault undone"),
    ]
    events = docker_events((1.2, "b", "kill", 0), (1.3, "b", "die", 137), (9.2, "b", "start", 0))
    assert changes(history(events, actions, NAMES)) == [
        ("querynode-1", "fault:crash", "user", "any query node"),
        ("querynode-1", "ended", "user", "signal SIGKILL"),
        ("querynode-1", "started", "user", "fault undone"),
    ]


def test_what_a_kubelet_replaces_was_not_the_user():
    actions = [
        Action(NOW + 1, NOW + 1, NOW + 2, "b", "querynode-1", "restarted", "supervisor", "kubelet: liveness")
    ]
    events = docker_events((1.2, "b", "kill", 0), (1.3, "b", "die", 0), (1.9, "b", "start", 0))
    assert changes(history(events, actions, NAMES)) == [
        ("querynode-1", "restarted", "supervisor", "kubelet: liveness"),
        ("querynode-1", "ended", "supervisor", "status 0"),
    ]


def test_times_are_on_this_machines_monotonic_clock():
    began = time.time()
    (event,) = history(docker_events((began - NOW, "a", "pause", 0)), [], NAMES)
    assert abs(event.time - time.monotonic()) < 5
    assert (event.kind, event.by) == ("paused", "user")


def test_containers_of_an_earlier_cluster_are_not_told():
    actions = [Action(NOW, NOW, NOW, "old", "rootcoord-1", "fault:hang", "user")]
    assert history(docker_events((1, "old", "die", 0)), actions, NAMES) == []


def test_the_action_log_is_read_by_every_process(tmp_path):
    log = ActionLog(tmp_path / "course")
    assert log.read() == []
    action = Action(1.0, 1.0, 2.0, "a", "rootcoord-1", "fault:hang", "user", "active rootcoord")
    log.write(action)
    assert ActionLog(tmp_path / "course").read() == [action]
