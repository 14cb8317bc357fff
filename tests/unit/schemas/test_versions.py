"""Versions of a type: an old one is read as it was written, and goes on as the present one."""

from typing import Any, ClassVar

import msgspec
import pytest

from schemas import versions
from schemas.envelope import unpack
from schemas.events import EVENT_TYPES, PracticeDayRequested, Value
from schemas.fields import Date, Instant, Source, TrackSlug
from schemas.headers import BadRecord
from schemas.versions import family, upcast

TEXT = {
    "source": "liverc",
    "track_slug": "track",
    "date": "2025-10-25",
    "requested_at": "2025-10-25T12:00:00Z",
}


class Oldest(Value, frozen=True, kw_only=True):
    """A day that was asked for, when a request had nothing but an address."""

    type_name: ClassVar[str] = "practice_day.test.v1"

    address: str


class Old(Value, frozen=True, kw_only=True):
    """A day that was asked for, when `again` said what `refresh` says now."""

    type_name: ClassVar[str] = "practice_day.test.v2"

    source: Source
    track_slug: TrackSlug
    date: Date
    requested_at: Instant
    again: bool


def from_oldest(event: Oldest) -> Old:
    source, slug, date = event.address.split("/")
    facts = TEXT | {"source": source, "track_slug": slug, "date": date, "again": True}
    return msgspec.convert(facts, Old)


def from_old(event: Old) -> PracticeDayRequested:
    return PracticeDayRequested(
        source=event.source,
        track_slug=event.track_slug,
        date=event.date,
        requested_at=event.requested_at,
        refresh="all" if event.again else "missing",
    )


@pytest.fixture(autouse=True)
def old_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in (Oldest, Old):
        monkeypatch.setitem(EVENT_TYPES, kind.type_name, kind)
    steps = {Oldest.type_name: from_oldest, Old.type_name: from_old}
    monkeypatch.setattr(versions, "UPCASTERS", steps)


def received(type_name: str, data: Any) -> Any:
    headers = {"ce_specversion": "1.0", "ce_id": "1", "ce_type": type_name, "ce_source": "test"}
    found = unpack([(name, text.encode()) for name, text in headers.items()], msgspec.json.encode(data))
    assert found is not None
    return found.event


@pytest.mark.parametrize(
    ("type_name", "data", "refresh"),
    [
        (Oldest.type_name, {"address": "liverc/track/2025-10-25"}, "all"),
        (Old.type_name, TEXT | {"again": False}, "missing"),
        (PracticeDayRequested.type_name, TEXT | {"refresh": "changed"}, "changed"),
    ],
)
def test_each_version_goes_on_as_the_present_one(type_name: str, data: Any, refresh: str) -> None:
    expected = msgspec.convert(TEXT | {"refresh": refresh}, PracticeDayRequested)
    assert received(type_name, data) == expected


def test_an_old_version_is_read_by_its_own_rules() -> None:
    with pytest.raises(BadRecord, match="again"):
        received(Old.type_name, TEXT)


def test_what_it_becomes_is_checked_by_the_present_rules() -> None:
    with pytest.raises(BadRecord, match="outside the years"):
        received(Oldest.type_name, {"address": "liverc/track/1066-10-14"})


def test_an_upcaster_that_fails_stops_nobody() -> None:
    with pytest.raises(BadRecord) as caught:
        received(Oldest.type_name, {"address": "liverc"})
    assert caught.value.code == "upcast_failed"


def test_the_present_version_is_left_as_it_is() -> None:
    event = msgspec.convert(TEXT, PracticeDayRequested)
    assert upcast(event) is event


def test_a_type_has_a_name_and_a_version() -> None:
    assert family("session_detail.fetched.v12") == ("session_detail.fetched", 12)
    for name in EVENT_TYPES:
        assert family(name)[1] >= 1
