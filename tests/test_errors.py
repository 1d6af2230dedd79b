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


def test_the_hint_is_announced_in_the_learner_s_language_and_of_a_wrong_language_in_english(monkeypatch):
    error = ClusterNotFound("没有集群。", hint="启动它。")
    monkeypatch.setenv("HALAB_LANG", "zh")
    assert str(error) == "没有集群。\n提示：启动它。"
    monkeypatch.setenv("HALAB_LANG", "xx")
    assert str(error) == "没有集群。\nHint: 启动它。"
