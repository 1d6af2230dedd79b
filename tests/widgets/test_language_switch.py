"""A choice on the start page is remembered, by the course and by JupyterLab's own menus."""

import json

import pytest

from halab.translation import language
from halab.widgets.language_switch import LanguageSwitch


@pytest.fixture
def switch(course, monkeypatch):
    monkeypatch.delenv("HALAB_LANG", raising=False)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    return LanguageSwitch()


def test_a_choice_is_kept_and_the_switch_speaks_it_at_once(switch, course):
    assert (switch.chosen, switch.text()) == ("en", "English. 中文: HALAB_LANG=zh")
    switch.chosen = "zh"
    assert language() == switch.lang == LanguageSwitch().chosen == "zh"
    (settings,) = (course / "work/.halab/jupyter/settings").rglob("*.jupyterlab-settings")
    assert json.loads(settings.read_text()) == {"locale": "zh_CN"}
    tab = course / "work/.halab/jupyter/config/labconfig/page_config.json"
    assert json.loads(tab.read_text()) == {"halabExercise": "练习"}
    switch.chosen = "en"
    assert language() == "en"
    assert json.loads(settings.read_text()) == {"locale": "default"}
