"""What events and parked records say of runs: lists, details, and what failed to be fetched.

`runs.changes.mark` writes it.
"""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from msgspec import Struct, field

from runs.run import RunError
from schemas.envelope import Received
from schemas.events import (
    Finding,
    PracticeDayListed,
    PracticeDayListFailed,
    SessionDetailFailed,
    SessionDetailFetched,
)
from schemas.identity import as_run_id, run_id_of
from store.parking import MAX_REASON, ParkedRecord, attributes


class Done(NamedTuple):
    """A session of a run whose detail is written."""

    run_id: UUID
    session_id: str
    laps: int


class Failed(NamedTuple):
    """A session of a run whose page failed to be fetched, by the request that this answers."""

    run_id: UUID
    request_id: str
    code: str
    message: str
    url: str | None


class Marks(Struct):
    """What is to be noted of runs.

    `request_failed` is of a run's request itself: nothing more comes of what the run waits for.
    """

    listed: dict[UUID, tuple[Finding, ...]] = field(default_factory=dict[UUID, tuple[Finding, ...]])
    list_failed: dict[UUID, RunError] = field(default_factory=dict[UUID, RunError])
    request_failed: dict[UUID, RunError] = field(default_factory=dict[UUID, RunError])
    done: list[Done] = field(default_factory=list[Done])
    failed: list[Failed] = field(default_factory=list[Failed])

    @property
    def run_ids(self) -> list[UUID]:
        """The runs that this is about."""
        ids = {*self.listed, *self.list_failed, *self.request_failed}
        return sorted(ids | {one.run_id for one in self.done} | {one.run_id for one in self.failed})


def marks_of(received: Iterable[Received], parked: Iterable[ParkedRecord]) -> Marks:
    """What a batch of events, and what was parked of it, says of runs."""
    marks = Marks()
    for one in received:
        if run_id := as_run_id(one.context.correlation_id):
            _add(marks, run_id, one)
    for record in parked:
        _add_parked(marks, record)
    return marks


def _add(marks: Marks, run_id: UUID, one: Received) -> None:
    event = one.event
    match event:
        case PracticeDayListed():
            marks.listed[run_id] = event.findings
        case PracticeDayListFailed():
            marks.list_failed[run_id] = RunError(code=event.code, message=event.message, url=event.url)
        case SessionDetailFetched():
            marks.done.append(Done(run_id, event.session_id, len(event.laps)))
        case SessionDetailFailed():
            request_id = one.context.causation_id or ""
            marks.failed.append(Failed(run_id, request_id, event.code, event.message, event.url))
        case _:
            pass


def _add_parked(marks: Marks, record: ParkedRecord) -> None:
    """A parked record answers its request all the same: the session failed, or the list."""
    said = attributes(record)
    run_id = as_run_id(said.correlation_id)
    if run_id is None:
        return
    error = _error(record)
    if said.type == PracticeDayListed.type_name:
        marks.list_failed[run_id] = error
    elif said.causation_id:
        marks.failed.append(Failed(run_id, said.causation_id, error.code, error.message, None))


def marks_of_day_request(record: ParkedRecord) -> Marks:
    """What it says of its run that a request for a day is parked."""
    said = attributes(record)
    run_id = run_id_of(said.correlation_id, said.id) if said.id else as_run_id(said.correlation_id)
    return Marks(request_failed={run_id: _error(record)} if run_id else {})


def marks_of_session_request(record: ParkedRecord) -> Marks:
    """What it says of its run that a request for a session is parked."""
    said = attributes(record)
    run_id, error = as_run_id(said.correlation_id), _error(record)
    found = [Failed(run_id, said.id, error.code, error.message, None)] if run_id and said.id else []
    return Marks(failed=found)


def _error(record: ParkedRecord) -> RunError:
    place = f"{record.topic}/{record.partition}/{record.record_offset}"
    return RunError(
        code=f"parked_{record.code}", message=f"record {place} is parked: {record.reason}"[:MAX_REASON]
    )
