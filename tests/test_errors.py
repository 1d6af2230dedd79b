from IPython.core.interactiveshell import InteractiveShell

from halab.errors import ClusterNotFound


def test_in_a_notebook_an_error_is_its_message_and_hint_and_no_trace(capsys):
    shell = InteractiveShell.instance()
    shell.run_cell(
        "from halab.errors import ClusterNotFound\nraise ClusterNotFound('No cluster.', hint='Start it.')"
    )
    shown = capsys.readouterr().out
    assert "ClusterNotFound: No cluster.\nHint: Start it." in shown
    assert "Traceback" not in shown
    assert str(ClusterNotFound("No cluster.")) == "No cluster."
