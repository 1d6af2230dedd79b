import time

from halab.cluster.compose.docker_events import Deed, Diary, history

NAMES = {"a": "rootcoord-1", "b": "querynode-1"}
NOW = 1_795_000_000.0


def heard(*told):
    """Docker's events as its command line prints them: (seconds, container, action, exit code)."""
    return [
        {
            "Action": action,
            "Actor": {"ID": identity, "Attributes": {"exitCode": str(code)}},
            "timeNano": int((NOW + at) * 1e9),
        }
        for at, identity, action, code in told
    ]


def said(events):
    return [(event.component, event.kind, event.by, event.detail) for event in events]


def test_what_ends_by_itself_was_milvus_and_what_starts_it_again_was_docker():
    events = history(heard((1, "a", "die", 134), (2, "a", "start", 0)), [], NAMES)
    assert said(events) == [
        ("rootcoord-1", "exited", "milvus", "signal SIGABRT"),
        ("rootcoord-1", "restarted", "supervisor", "after it exited (signal SIGABRT)"),
    ]


def test_what_was_told_to_end_was_the_user_even_by_hand():
    told = heard((1, "a", "kill", 0), (1.1, "a", "die", 137), (9, "a", "start", 0))
    assert said(history(told, [], NAMES)) == [
        ("rootcoord-1", "ended", "user", "signal SIGKILL"),
        ("rootcoord-1", "started", "user", ""),
    ]


def test_out_of_memory_is_told_as_that():
    events = history(heard((1, "a", "oom", 0), (1.1, "a", "die", 137)), [], NAMES)
    assert said(events) == [("rootcoord-1", "exited", "milvus", "out of memory")]


def test_a_deed_of_halab_is_told_once_and_by_its_own_name():
    deeds = [
        Deed(NOW + 1, NOW + 1, NOW + 1.4, "b", "querynode-1", "fault:crash", "user", "any query node"),
        Deed(NOW + 9, NOW + 9, NOW + 9.5, "b", "querynode-1", "started", "user", "fault undone"),
    ]
    told = heard((1.2, "b", "kill", 0), (1.3, "b", "die", 137), (9.2, "b", "start", 0))
    assert said(history(told, deeds, NAMES)) == [
        ("querynode-1", "fault:crash", "user", "any query node"),
        ("querynode-1", "ended", "user", "signal SIGKILL"),
        ("querynode-1", "started", "user", "fault undone"),
    ]


def test_what_a_kubelet_replaces_was_not_the_user():
    deeds = [
        Deed(NOW + 1, NOW + 1, NOW + 2, "b", "querynode-1", "restarted", "supervisor", "kubelet: liveness")
    ]
    told = heard((1.2, "b", "kill", 0), (1.3, "b", "die", 0), (1.9, "b", "start", 0))
    assert said(history(told, deeds, NAMES)) == [
        ("querynode-1", "restarted", "supervisor", "kubelet: liveness"),
        ("querynode-1", "ended", "supervisor", "status 0"),
    ]


def test_times_are_on_this_machines_monotonic_clock():
    began = time.time()
    (event,) = history(heard((began - NOW, "a", "pause", 0)), [], NAMES)
    assert abs(event.time - time.monotonic()) < 5
    assert (event.kind, event.by) == ("paused", "user")


def test_containers_of_an_earlier_cluster_are_not_told():
    deeds = [Deed(NOW, NOW, NOW, "old", "rootcoord-1", "fault:hang", "user")]
    assert history(heard((1, "old", "die", 0)), deeds, NAMES) == []


def test_a_diary_is_read_by_every_process(tmp_path):
    diary = Diary(tmp_path / "course")
    assert diary.read() == []
    deed = Deed(1.0, 1.0, 2.0, "a", "rootcoord-1", "fault:hang", "user", "active rootcoord")
    diary.write(deed)
    assert Diary(tmp_path / "course").read() == [deed]
