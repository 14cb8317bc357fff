"""The parts of the API that need no server: the document, cursors, and what a stranger's address may do."""

import datetime as dt
import json
import re
import uuid
from pathlib import Path
from typing import Any

import pytest

from schemas.scopes import Scope
from server.api.document import document
from server.api.fields import page_of, place_at
from server.api.routes import HEALTH, VERSION_1
from server.http import limits
from server.http.api_keys import ApiKey
from server.http.limits import Limiter
from server.http.refusals import Refusal
from store.reading import DayPlace

FILE = Path(__file__).parents[4] / "docs" / "openapi.json"
DOCUMENT: dict[str, Any] = json.loads(FILE.read_bytes())
OPERATIONS = [operation for path in DOCUMENT["paths"].values() for operation in path.values()]


def test_the_document_on_file_is_the_one_that_is_served() -> None:
    assert FILE.read_bytes() == document()


def test_every_route_is_described() -> None:
    described = {operation["operationId"] for operation in OPERATIONS}
    assert described == {
        route.operation_id for route in (*HEALTH, *VERSION_1) if route.resolve_include_in_schema()
    }
    assert all(operation["description"] for operation in OPERATIONS)


def test_every_reference_of_the_document_leads_somewhere() -> None:
    for reference in re.findall(r'"\$ref": "#/([^"]+)"', document().decode()):
        place: Any = DOCUMENT
        for name in reference.split("/"):
            place = place[name]


def test_every_error_can_be_had_as_a_problem() -> None:
    for response in DOCUMENT["components"]["responses"].values():
        assert list(response["content"]) == ["application/json", "application/problem+json"]


def test_writing_needs_a_key_in_the_document_too() -> None:
    secured = {
        operation["operationId"] for operation in OPERATIONS if {} not in operation.get("security", [{}])
    }
    assert secured == {
        "ingestPracticeDay",
        "discoverPracticeDays",
        "retryFailedSessions",
        "cancelIngestRun",
        "refreshCatalogue",
        "beginBackfill",
        "retryFailedDays",
        "cancelBackfill",
        "setAliases",
        "unsetAlias",
    }


def test_a_cursor_says_where_a_page_ended() -> None:
    places = [DayPlace(dt.date(2025, 10, day), uuid.uuid4()) for day in (3, 2, 1)]
    page = page_of(places, 2, lambda place: place)
    assert page.items == places[:2]
    assert place_at(page.next_cursor, DayPlace) == places[1]
    assert page_of(places, 3, lambda place: place).next_cursor is None


@pytest.mark.parametrize("cursor", ["", "%", "ä", "\0", "e30", "bnVsbA", "x" * 200])
def test_a_cursor_that_is_none_is_refused(cursor: str) -> None:
    with pytest.raises(Refusal, match="cursor"):
        place_at(cursor, DayPlace)


def test_a_minute_that_passed_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(limits.time, "monotonic", lambda: now)
    limiter = Limiter(1)
    limiter.count("one")
    with pytest.raises(Refusal, match="1 requests"):
        limiter.count("one")
    limiter.count("another")
    now = 60.0
    limiter.count("one")


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [
        ([Scope.read], {Scope.read}),
        ([Scope.ingest], {Scope.read, Scope.ingest}),
        ([Scope.operate], set(Scope)),
        ([Scope.read, Scope.ingest], {Scope.read, Scope.ingest}),
    ],
)
def test_a_scope_includes_those_before_it(scopes: list[Scope], allowed: set[Scope]) -> None:
    key = ApiKey(
        id=uuid.uuid4(), name="key", scopes=scopes, created_at=dt.datetime.now(dt.UTC), revoked_at=None
    )
    assert {scope for scope in Scope if key.allows(scope)} == allowed
