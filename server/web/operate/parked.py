"""Parked records: the list, one record, and what is done about them; each asks first."""

import datetime as dt
from collections.abc import Sequence
from functools import partial
from http import HTTPStatus
from typing import Annotated

from litestar import Response, get, post
from litestar.params import PathParameter
from litestar.response import Redirect
from msgspec.structs import replace

from ops.parked import mending
from ops.parked import queries as parked
from ops.parked.mending import BadFix, Fix, NotParked, where
from ops.parked.queries import Head, Parked, ParkedState, RecordPlace, by_place
from ops.parked.redrive import Redrive, RedriveOutcome, sending
from runtime.database import connected as connected_by
from runtime.database import database
from runtime.settings import Settings
from runtime.wiring import groups
from schemas.events import EVENT_TYPES
from schemas.scopes import Scope
from server.api.fields import Cursor, page_of, place_at
from server.http.callers import needs
from server.http.refusals import Refusal
from server.http.services import ApiRequest, connected, services_of
from server.web import links
from server.web.operate import parked_view
from server.web.operate.acting import (
    Action,
    Question,
    ask,
    carried_out,
    lead_to,
    operating,
    reason_of,
    who,
)
from server.web.operate.selecting import Filters, filters_of
from server.web.pages import page
from server.web.texts import TEXTS

PAGE = 50
"""Records of a page."""

MOST = 200
"""Records of one redrive or discard; the page says how many there are, and one goes on with the rest."""

FIX_BYTES = 2 * 1024 * 1024
"""The largest form with a mended event."""

_PLACE = "/operate/parked/{topic:str}/{partition:int}/{offset:int}"

Topic = Annotated[str, PathParameter(max_length=249, pattern=r"^[A-Za-z0-9._-]+\Z")]
Partition = Annotated[int, PathParameter(ge=0, le=2**31 - 1)]
Offset = Annotated[int, PathParameter(ge=0, le=2**63 - 1)]


@get("/operate/parked", guards=[needs(Scope.operate)])
async def read_parked(request: ApiRequest, after: Cursor = None) -> Response[bytes]:
    """Count the parked records by kind of fault, and list them."""
    filters = filters_of(request.query_params)
    place = place_at(after, RecordPlace)
    async with connected(request) as connection:
        total, counts = await parked.count(connection, filters.selection)
        heads = await parked.find(connection, filters.selection, limit=PAGE + 1, after=place)
    topics = services_of(request).settings.topics
    found = page_of(list(by_place(heads)), PAGE, lambda one: one[0])
    return page(
        request,
        "operate/parked.html",
        filters=filters,
        states=list(ParkedState),
        topics=[topics.requests, topics.details, *topics.event_log, topics.pages],
        groups=[one.name for one in groups(topics)],
        total=total,
        counts=counts,
        records=found.items,
        next_cursor=found.next_cursor,
        asked=replace(filters, until=dt.datetime.now(dt.UTC)),
    )


@get(_PLACE, guards=[needs(Scope.operate)])
async def read_record(
    request: ApiRequest, topic: Topic, partition: Partition, offset: Offset
) -> Response[bytes]:
    """Show one parked record: why it is there, what became of it, and its bytes."""
    copies = await _copies(request, RecordPlace(topic, partition, offset))
    same = [one for one in copies if one.known_by == copies[0].known_by]
    return page(
        request,
        "operate/record.html",
        place=where(copies[0].place),
        record=parked_view.record_of(copies[0]),
        copies=same,
        others=[one.group for one in copies if one not in same],
        waits=any(one.state is ParkedState.parked for one in copies),
        at={"at": where(copies[0].place)},
    )


async def _copies(request: ApiRequest, place: RecordPlace) -> list[Parked]:
    """What is parked at a place; raises a `Refusal` where nothing is."""
    try:
        async with connected(request) as connection:
            return await mending.read_copies(connection, place)
    except NotParked as error:
        raise Refusal.not_found(str(error)) from error


@get("/operate/parked/redrive", guards=[needs(Scope.operate)])
async def ask_redrive(request: ApiRequest) -> Response[bytes]:
    """Say what a redrive of these records will do, and ask."""
    filters = filters_of(request.query_params)
    total, heads = await _chosen(request, filters)
    texts = [TEXTS("operate.redrive_means"), *_of_how_many(total, heads)]
    return ask(request, _question("redrive", filters, texts, total))


@post("/operate/parked/redrive", guards=[needs(Scope.operate)])
async def redrive(request: ApiRequest) -> Redirect:
    """Run these records through the code as it is now."""
    filters = filters_of(await request.form())
    work = partial(_redriven, services_of(request).settings, filters, who(request))
    outcomes = await carried_out(request, Action("parked.redrive", _subject(filters)), work)
    if outcomes is None:
        return lead_to(_back(filters), "at_work")
    staying = {one.place for one in outcomes if not one.redriven}
    return lead_to(
        _back(filters),
        "redriven",
        n=len({one.place for one in outcomes if one.redriven} - staying),
        m=len(staying),
    )


async def _redriven(settings: Settings, filters: Filters, by: str) -> list[RedriveOutcome]:
    async with database(settings, size=1) as pool:
        async with pool.acquire() as connection:
            heads = await parked.find(connection, filters.selection, limit=MOST)
        return await Redrive(pool, settings.broker, settings.topics, by).redrive(heads, lambda _: None)


@get("/operate/parked/discard", guards=[needs(Scope.operate)])
async def ask_discard(request: ApiRequest) -> Response[bytes]:
    """Say what it means to discard these records, and ask why."""
    return await _ask_discard(request, filters_of(request.query_params))


async def _ask_discard(request: ApiRequest, filters: Filters, fault: str | None = None) -> Response[bytes]:
    total, heads = await _chosen(request, filters)
    texts = [TEXTS("operate.discard_means"), *_of_how_many(total, heads)]
    return ask(request, replace(_question("discard", filters, texts, total), reason=True), fault)


@post("/operate/parked/discard", guards=[needs(Scope.operate)])
async def discard(request: ApiRequest) -> Response[bytes] | Redirect:
    """Give these records up, with a reason."""
    filters, reason = filters_of(await request.form()), await reason_of(request)
    if reason is None:
        return await _ask_discard(request, filters, TEXTS("operate.reason_missing"))
    async with (
        operating(request, Action("parked.discard", _subject(filters), reason)),
        connected(request) as connection,
    ):
        heads = await parked.find(connection, filters.selection, limit=MOST)
        await parked.discarded(connection, [head.at for head in heads], reason, who(request))
    return lead_to(_back(filters), "discarded", n=len({head.place for head in heads}))


async def _chosen(request: ApiRequest, filters: Filters) -> tuple[int, list[Head]]:
    """How many records still wait, and the first of them."""
    if filters.state is not ParkedState.parked:
        raise Refusal(HTTPStatus.CONFLICT, "not_possible", TEXTS("operate.only_parked"))
    async with connected(request) as connection:
        total, _ = await parked.count(connection, filters.selection)
        return total, await parked.find(connection, filters.selection, limit=MOST)


def _question(what: str, filters: Filters, texts: list[str], total: int) -> Question:
    return Question(
        place="parked",
        title=TEXTS.count(f"operate.title_{what}", min(total, MOST)),
        texts=texts,
        button=TEXTS.count(f"operate.button_{what}", min(total, MOST)),
        action=f"/operate/parked/{what}",
        fields=filters.pairs,
        back=_back(filters),
        refusal=None if total else TEXTS("operate.none_parked"),
    )


def _of_how_many(total: int, heads: Sequence[Head]) -> list[str]:
    """Which records these are, by their faults."""
    counted = parked_view.faults_of(heads)
    more = [TEXTS("operate.first_of", n=MOST, m=total)] if total > MOST else []
    return [*counted, *more]


def _subject(filters: Filters) -> str:
    """The records that are meant, for the log."""
    return filters.address("records")


def _back(filters: Filters) -> str:
    """Where the records were looked at."""
    if filters.place is not None:
        return links.parked(*filters.place)
    return replace(filters, until=None).address(links.parked_list())


@get(f"{_PLACE}/fix", guards=[needs(Scope.operate)])
async def ask_fix(request: ApiRequest, topic: Topic, partition: Partition, offset: Offset) -> Response[bytes]:
    """Show a record's event to be mended, and say what publishing it does."""
    [record, *_] = await _copies(request, RecordPlace(topic, partition, offset))
    return _fix_form(request, record, parked_view.editable(record), parked_view.type_of(record))


@post(f"{_PLACE}/fix", guards=[needs(Scope.operate)], request_max_body_size=FIX_BYTES)
async def fix(
    request: ApiRequest, topic: Topic, partition: Partition, offset: Offset
) -> Response[bytes] | Redirect:
    """Publish a mended event as a new record, and mark the bad one fixed."""
    [record, *_] = await _copies(request, RecordPlace(topic, partition, offset))
    form = await request.form()
    event, name = str(form.get("event", "")), str(form.get("type", "")) or None
    wanted = Fix(record.place, event.encode("utf-8", "surrogatepass"), name)
    settings = services_of(request).settings
    try:
        mending.mended(record, wanted, settings.topics)
    except BadFix as error:
        return _fix_form(request, record, event, name, str(error))
    work = partial(_fixed, settings, wanted, who(request))
    new = await carried_out(request, Action("parked.fix", where(record.place)), work)
    return lead_to(links.parked(*record.place), "at_work" if new is None else "fixed")


async def _fixed(settings: Settings, wanted: Fix, by: str) -> RecordPlace:
    async with connected_by(settings) as connection:
        return await mending.publish_fixed(connection, sending(settings.broker), settings.topics, wanted, by)


def _fix_form(
    request: ApiRequest, record: Parked, event: str | None, type_name: str | None, fault: str | None = None
) -> Response[bytes]:
    return page(
        request,
        "operate/fix.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if fault else HTTPStatus.OK,
        record=record,
        place=where(record.place),
        types=list(EVENT_TYPES),
        type_name=type_name,
        event=event,
        fault=fault,
        refusal=None if record.state is ParkedState.parked else TEXTS("operate.settled", state=record.state),
    )
