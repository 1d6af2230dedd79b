"""The dashboard as a picture: the panels of the shipped file, with whatever Prometheus has."""

import json

from halab.folders import course_root
from halab.monitoring.dashboard import dashboard, panels


class Watch:
    """Every expression has a series that counts and one without a value; ALERTS has none."""

    def __init__(self):
        self.asked = []

    def history(self, expression, start, end):
        self.asked.append(expression)
        if "ALERTS" in expression:
            return []
        numbers = [[start, "1"], [end, "3.5"]]
        return [
            {"metric": {"role": "proxy", "status": "fail"}, "values": numbers},
            {"metric": {"role": "none", "status": "none"}, "values": [[start, "NaN"]]},
        ]


def test_every_panel_of_the_file_is_drawn_and_told_in_words():
    watch = Watch()
    picture = dashboard(watch, 60, [("hang log", 1.0, 2.0)])
    file = json.loads((course_root() / "compose/monitoring/dashboards/milvus.json").read_text())
    titles = [panel["title"] for panel in file["panels"]]
    assert [axes.get_title(loc="left") for axes in picture.axes] == titles
    assert watch.asked == [target["expr"] for panel in file["panels"] for target in panel["targets"]]
    assert all(title in picture.alt for title in titles)
    assert "Who answers, by role: proxy 1 to 3.5." in picture.alt
    assert "Alerts that burn: nothing." in picture.alt
    assert "hang log from" in picture.alt


def test_a_standing_service_and_its_refusals_are_both_on_it():
    (requests,) = [panel for panel in panels() if panel.title == "Requests by outcome"]
    assert all(status in requests.expressions[0][0] for status in ("success", "fail", "rejected"))
