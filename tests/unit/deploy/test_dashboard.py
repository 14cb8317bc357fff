"""The dashboard on file is what the code says, and asks for metrics that there are."""

import json
from collections import Counter

from deploy.grafana import dashboard
from tests.unit.deploy.names import declared, named


def test_the_file_is_what_the_code_says() -> None:
    assert dashboard.FILE.read_text() == dashboard.text(), "run `python deploy/grafana/dashboard.py`"


def test_panels_ask_only_for_metrics_that_there_are() -> None:
    assert named(dashboard.text()) - declared() == set()


def test_panels_lie_beside_each_other_each_with_an_id_and_a_description() -> None:
    panels = json.loads(dashboard.text())["panels"]
    places = Counter(
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    )
    assert set(places.values()) == {1}
    assert max(x for x, _ in places) < dashboard.WIDTH
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert [panel["title"] for panel in panels if panel["type"] != "row" and not panel["description"]] == []
