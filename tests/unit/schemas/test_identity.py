"""Keys and ids: the same thing has the same name, wherever and whenever it is seen."""

import datetime as dt
import uuid

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import SessionDetailFetched, SessionDetailRequested
from schemas.identity import (
    content_digest,
    day_key,
    day_row_id,
    driver_id,
    event_id,
    event_key,
    practice_event_id,
    row_digest,
    source_driver_id,
    source_event_id,
    track_id,
)
from tests.events import BEGIN, DATE, fetched, listed, row


def test_the_keys_are_those_of_the_design() -> None:
    assert day_key("liverc", "track", DATE) == "liverc/track/2025-10-25"
    assert event_key(listed(1)) == "liverc/track/2025-10-25"
    assert event_key(fetched(1, "7")) == "liverc/track/2025-10-25"
    work = SessionDetailRequested(
        source="liverc", track_slug="track", date=DATE, session_id="7", requested_at=BEGIN
    )
    assert event_key(work) == "liverc/track/2025-10-25/7"
    assert source_event_id("track", DATE) == "track-practice-2025-10-25"


@pytest.mark.parametrize(
    ("transponder", "driver"),
    [
        ("9783013", "9783013"),
        (" 9783013\t", "9783013"),
        (None, "practice_session_7"),
        ("  ", "practice_session_7"),
    ],
)
def test_a_driver_is_the_stripped_transponder_or_else_the_session(
    transponder: str | None, driver: str
) -> None:
    assert source_driver_id("7", transponder) == driver


def test_the_same_observation_has_the_same_id() -> None:
    assert event_id(fetched(1, "1")) == event_id(fetched(1, "1"))


@pytest.mark.parametrize("other", [fetched(2, "1"), fetched(1, "2"), fetched(1, "1", parser_version=2)])
def test_another_observation_has_another_id(other: SessionDetailFetched) -> None:
    assert event_id(other) != event_id(fetched(1, "1"))


def test_a_content_digest_tells_what_was_said_not_when() -> None:
    page = msgspec.structs.replace(
        fetched(9, "1", parser_version=3), page_sha256="a" * 64, list_row_digest="b" * 32
    )
    assert content_digest(page) == content_digest(fetched(1, "1"))
    assert content_digest(fetched(1, "1", lap_count=4)) != content_digest(fetched(1, "1"))
    assert row_digest(row("1")) != row_digest(row("1", lap_count=4))


def test_a_field_that_is_absent_changes_no_digest() -> None:
    event = fetched(1, "1", avg_top_15=None)
    assert b"avg_top_15" not in msgspec.json.encode(event)


@given(st.dates(), st.text(max_size=20), st.text(max_size=20))
def test_row_ids_of_a_day_are_valid_and_begin_with_the_day(date: dt.date, one: str, other: str) -> None:
    made = day_row_id(date, one, other)
    assert (made.version, made.variant) == (8, uuid.RFC_4122)
    assert int.from_bytes(made.bytes[:4], "big") == date.toordinal()
    assert made == day_row_id(date, one, other)


def test_row_ids_never_change() -> None:
    assert str(track_id("liverc", "track")) == "4fee61d1-8c28-564f-8d58-00927da8fbf3"
    assert str(driver_id("liverc", "9783013")) == "cd035ee1-b139-5811-8334-66bba0fb7cb2"
    assert str(practice_event_id("liverc", "track", DATE)) == "000b48dd-3891-84ae-beeb-0b199d73929e"
