import io

from rich.console import Console

from halab.cluster.display import live_progress, status_table

PROXY = {
    "name": "proxy-1",
    "address": "127.0.0.1:20001",
    "pid": 7,
    "health": "hung",
    "ha_state": "",
    "memory": 3 << 20,
    "uptime": 12.4,
    "restarts": 1,
    "note": "fault: hang",
}
STATUS = {"phase": "ready", "elapsed": 1.0, "done": 0, "total": 1, "disk": 5 << 20, "components": [PROXY]}


def shown(renderable):
    console = Console(width=80, file=io.StringIO(), record=True)
    console.print(renderable)
    return console.export_text()


def test_a_status_fits_eighty_columns_and_tells_health_in_words():
    text = shown(status_table(STATUS, "cluster 'lab'"))
    assert max(map(len, text.splitlines())) <= 80
    widest = {"name": "querycoord-1", "address": "172.20.0.22:19531", "health": "unhealthy", "pid": 1234567}
    rows = [PROXY, PROXY | widest | {"ha_state": "follower", "memory": 999 << 20, "uptime": 99_999}]
    text = shown(status_table(STATUS | {"components": rows}, "cluster 'lab'"))
    assert all(str(value) in text for value in (*widest.values(), 999, 99_999))
    for expected in ("proxy-1", "127.0.0.1:20001", "◼ hung", "proxy-1: fault: hang", "5 MiB on disk"):
        assert expected in text


def test_where_nothing_can_be_redrawn_each_phase_is_one_line():
    out = io.StringIO()
    with live_progress(Console(file=out)) as tell:
        for phase in ("starting", "starting", "ready"):
            tell(STATUS | {"phase": phase})
    assert [line.split()[-1] for line in out.getvalue().splitlines()] == ["starting", "ready"]


def test_a_terminal_sees_every_process_while_it_waits():
    out = io.StringIO()
    with live_progress(Console(file=out, force_terminal=True, width=80)) as tell:
        tell(STATUS)
    assert "proxy-1" in out.getvalue()


class Output:
    """Stands in for an output cell: what it shows now, and how often one was made."""

    shown = ""
    made = 0

    def display(self, data, raw):
        Output.made += 1
        self.update(data, raw)

    def update(self, data, raw):
        Output.shown, Output.html = data["text/plain"], data["text/html"]


def test_a_notebook_sees_one_output_written_over_and_keeps_its_last_line(monkeypatch):
    monkeypatch.setattr("IPython.display.DisplayHandle", Output)
    with live_progress(Console(file=io.StringIO(), force_jupyter=True)) as tell:
        tell(STATUS | {"phase": "starting"})
        assert "proxy-1" in Output.shown
        tell(STATUS)
    assert Output.made == 1
    assert Output.shown.split() == ["1.0", "s", "ready", "0/1", "healthy"]


def test_a_notebook_that_joins_a_cluster_is_told_so(monkeypatch):
    monkeypatch.setattr("IPython.display.DisplayHandle", Output)
    with live_progress(Console(file=io.StringIO(), force_jupyter=True)) as tell:
        tell(STATUS | {"settings": "profile small, TTL 5 s"})
    assert "It runs already (profile small, TTL 5 s)" in Output.shown
    assert "If another notebook started it, keep that one open" in Output.shown


def test_the_notebook_that_a_cluster_ends_with_is_named(monkeypatch):
    monkeypatch.setattr("IPython.display.DisplayHandle", Output)
    status = STATUS | {"notebook": "06-failover-timeline.ipynb"}
    with live_progress(Console(file=io.StringIO(), force_jupyter=True)) as tell:
        tell(status)
    assert "06-failover-timeline.ipynb started it: keep that notebook open" in Output.shown
    assert "ends with 06-failover-timeline.ipynb" in " ".join(shown(status_table(status)).split())
    with live_progress(Console(file=io.StringIO(), force_jupyter=True)) as tell:
        tell(status | {"mine": True})
    assert "keep" not in Output.shown


def test_what_is_not_yet_due_waits_and_no_name_breaks_in_the_middle(monkeypatch):
    monkeypatch.setattr("IPython.display.DisplayHandle", Output)
    with live_progress(Console(file=io.StringIO(), force_jupyter=True)) as tell:
        tell(STATUS | {"phase": "starting etcd", "components": [PROXY | {"health": "waiting"}]})
    assert "○ proxy-1" in Output.shown
    assert "white-space: nowrap" in Output.html
    assert "○ proxy-1 waiting" in Output.html
