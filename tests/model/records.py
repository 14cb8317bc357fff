"""What the table of fastest laps must hold, taken from the model's tables of the same events."""

from collections.abc import Iterable
from typing import Any

from schemas.envelope import Received
from schemas.identity import practice_event_id
from tests.model.reference import expected

Laps = dict[tuple[Any, str], tuple[Any, ...]]
"""By day and session: class, seconds, driver's name, driver's id, start."""


def fastest_laps(received: Iterable[Received]) -> Laps:
    """The fastest laps that these events leave, in whatever order they come."""
    tables = expected(received)
    found: Laps = {}
    for result in tables["race_results"].values():
        race = tables["races"][result["race_id"]]
        driver = tables["race_drivers"][result["race_driver_id"]]
        day = tables["events"][race["event_id"]]
        if result["fast_lap_time"]:
            event_id = practice_event_id(day["source"], day["track_id"][1], day["event_date"])
            found[event_id, race["source_race_id"]] = (
                race["class_name"],
                result["fast_lap_time"],
                driver["display_name"],
                driver["source_driver_id"],
                race["start_time"],
            )
    return found
