"""The page of the contract: every topic, message, header and field is on it."""

import pytest

from schemas.contract import asyncapi, reference
from schemas.contract.envelopes import binary
from schemas.events import EVENT_TYPES, ClassLaps, DayStats, Finding, Lap, LeaderboardEntry, ListedSession
from schemas.pages import PAGE_TYPE
from schemas.topics import Topics
from tests.unit.test_docs import first_cells, section

PAGE = reference.page(asyncapi.document(Topics()))
STRUCTS = {f"`{name}`": kind for name, kind in EVENT_TYPES.items()} | {
    kind.__name__: kind for kind in (ListedSession, DayStats, ClassLaps, LeaderboardEntry, Lap, Finding)
}


@pytest.mark.parametrize("heading", STRUCTS)
def test_every_field_of_an_event_is_there(heading: str) -> None:
    assert first_cells(section(PAGE, heading)) == list(STRUCTS[heading].__struct_fields__)


def test_every_header_is_there() -> None:
    assert first_cells(section(PAGE, "Headers")) == list(binary()["properties"])
    assert "ce_httpstatus" in first_cells(section(PAGE, f"`{PAGE_TYPE}`"))


@pytest.mark.parametrize("spec", Topics().specs(), ids=lambda spec: spec.name)
def test_every_topic_is_there(spec: asyncapi.TopicSpec) -> None:
    assert f"| Partitions | {spec.partitions} |" in section(PAGE, f"Topic `{spec.name}`")
