from halab.course.widget_outputs import VIEW, drop_ended_views, without_kernel


def notebook(*outputs):
    return {"cells": [{"cell_type": "markdown"}, {"cell_type": "code", "outputs": list(outputs)}]}


def view(**metadata):
    return {"output_type": "display_data", "data": {VIEW: {}, "text/html": "text"}, "metadata": metadata}


def kinds(opened):
    return [list(output.get("data", {})) for output in opened["cells"][1]["outputs"]]


def test_views_of_the_kernel_that_runs_stay_and_those_of_another_go():
    opened = notebook(
        view(halab_kernel=7), view(halab_kernel=8), view(), {"output_type": "stream", "text": "x"}
    )
    drop_ended_views(opened, 8)
    assert kinds(opened) == [["text/html"], [VIEW, "text/html"], [VIEW, "text/html"], []]


def test_without_a_kernel_no_view_stays():
    opened = notebook(view(halab_kernel=7), view())
    drop_ended_views(opened, None)
    assert kinds(opened) == [["text/html"], ["text/html"]]


def test_what_stands_in_says_how_to_have_the_widget_back_and_marks_up_nothing(monkeypatch):
    shown = without_kernel("<b>1 < 2</b>", "")
    assert "run this cell again" in shown
    assert "&lt;b&gt;1 &lt; 2&lt;/b&gt;" in shown
    monkeypatch.setenv("HALAB_LANG", "zh")
    assert 'lang="zh-Hans"' in without_kernel("", "")
