"""Rebuilds: the list, one with its progress and report, and what is done about it; each asks first.

No rebuild is made here: `lapstream rebuild start` and `resume` are processes of their own.
"""

import datetime as dt
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, NamedTuple

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec.structs import replace

from consumers.projection import Projection
from ops.rebuild import operating as rebuild_operating
from ops.rebuild import queries as rebuilds
from ops.rebuild import states, swapping
from ops.rebuild.queries import Rebuild
from runtime.database import connected as connected_by
from runtime.projections import PROJECTIONS
from runtime.settings import Settings
from schemas.scopes import Scope
from server.http.callers import needs
from server.http.refusals import Refusal
from server.http.services import ApiRequest, connected, services_of
from server.web import links
from server.web.fields import Row
from server.web.operate import rebuild_view
from server.web.operate.acting import Action, Question, ask, carried_out, chosen, lead_to, refusal_of
from server.web.pages import page
from server.web.texts import TEXTS
from store.pool import Connection

_REBUILD = "/operate/rebuilds/{rebuild_id:uuid}"
_BY_NAME = {projection.name: projection for projection in PROJECTIONS}


class Means(NamedTuple):
    """What one can do about a rebuild: why it can't be done, if so, and how it is done."""

    check: Callable[[Connection, Projection[Any], Rebuild], Awaitable[None]]
    work: Callable[[Settings, Projection[Any], Rebuild], Awaitable[Rebuild]]


async def _check_open(_: Connection, projection: Projection[Any], found: Rebuild) -> None:
    if not (found.open or found.state == "built"):
        raise states.NotAsSeen(f"this rebuild of {projection.name} is {found.state}: nothing is under way")


async def _check_pausable(connection: Connection, projection: Projection[Any], found: Rebuild) -> None:
    await _check_open(connection, projection, found)
    if found.paused or not found.open:
        raise states.NotAsSeen(f"this rebuild of {projection.name} does not go on by itself as it is")


async def _check_waits(_: Connection, __: Projection[Any], found: Rebuild) -> None:
    states.check_waits(found)


async def _check_in_place(connection: Connection, projection: Projection[Any], found: Rebuild) -> None:
    await swapping.in_place(connection, projection, found.id)


async def _pause(settings: Settings, projection: Projection[Any], found: Rebuild) -> Rebuild:
    async with connected_by(settings) as connection:
        return await rebuild_operating.pause(connection, projection, found.purpose, found.until, paused=True)


async def _cancel(settings: Settings, projection: Projection[Any], found: Rebuild) -> Rebuild:
    async with connected_by(settings) as connection:
        return await rebuild_operating.cancel(connection, projection, found.purpose, found.until)


async def _roll_back(settings: Settings, projection: Projection[Any], found: Rebuild) -> Rebuild:
    return await swapping.take_back(settings, projection, found.id)


MEANS = {
    "pause": Means(_check_pausable, _pause),
    "cancel": Means(_check_open, _cancel),
    "swap": Means(_check_waits, states.swap_as_seen),
    "rollback": Means(_check_in_place, _roll_back),
}
"""What one can do, by the last part of its address."""


@get("/operate/rebuilds", guards=[needs(Scope.operate)])
async def read_rebuilds(request: ApiRequest) -> Response[bytes]:
    """List the newest rebuilds."""
    async with connected(request) as connection:
        found = await rebuild_operating.recent(connection, None)
    return page(request, "operate/rebuilds.html", rebuilds=found, projections=list(_BY_NAME))


@get(_REBUILD, guards=[needs(Scope.operate)])
async def read_rebuild(request: ApiRequest, rebuild_id: Row) -> Response[bytes]:
    """Show one rebuild: how far it is, what was found, what can be done."""
    async with connected(request) as connection:
        found, projection = await _the_rebuild(connection, rebuild_id)
        possible = [
            name for name, means in MEANS.items() if not await _refusal(connection, means, projection, found)
        ]
    return page(
        request,
        "operate/rebuild.html",
        rebuild=found,
        report=rebuild_view.report_of(found),
        possible=possible,
        command=rebuild_view.command_of(found),
    )


async def _the_rebuild(connection: Connection, row: Row) -> tuple[Rebuild, Projection[Any]]:
    """A rebuild, and its projection; raises a `Refusal` where there is none."""
    found = await rebuilds.find(connection, row)
    if found is None or found.projection not in _BY_NAME:
        raise Refusal.not_found(f"there is no rebuild {row}, or it is none of this version's")
    return found, _BY_NAME[found.projection]


async def _refusal(
    connection: Connection, means: Means, projection: Projection[Any], found: Rebuild
) -> str | None:
    """Why something can't be done with a rebuild; None where it can."""
    newest = await rebuilds.newest(connection, found.shadow)
    if newest and newest.id != found.id and means.check is not _check_in_place:
        return TEXTS("operate.not_newest")
    return await refusal_of(means.check(connection, projection, found))


@get(f"{_REBUILD}/{{what:str}}", guards=[needs(Scope.operate)])
async def ask_rebuild(request: ApiRequest, rebuild_id: Row, what: FromPath[str]) -> Response[bytes]:
    """Say what will happen to a rebuild, or why it can't, and ask."""
    means = chosen(MEANS, what, "a rebuild")
    async with connected(request) as connection:
        found, projection = await _the_rebuild(connection, rebuild_id)
        refusal = await _refusal(connection, means, projection, found)
    question = Question(
        place="rebuilds",
        title=TEXTS(f"operate.ask_{what}", projection=found.projection),
        texts=[TEXTS(f"operate.means_{what}"), *rebuild_view.summary_of(found, what)],
        button=TEXTS(f"operate.do_{what}"),
        action=f"{links.rebuild(found.id)}/{what}",
        back=links.rebuild(found.id),
        fields={"seen": found.moved_at.isoformat()},
        refusal=refusal,
    )
    return ask(request, question)


@post(f"{_REBUILD}/{{what:str}}", guards=[needs(Scope.operate)])
async def act_on_rebuild(request: ApiRequest, rebuild_id: Row, what: FromPath[str]) -> Redirect:
    """Do it, with the rebuild as it was when it was looked at."""
    means = chosen(MEANS, what, "a rebuild")
    seen = _moment(str((await request.form()).get("seen", "")))
    async with connected(request) as connection:
        found, projection = await _the_rebuild(connection, rebuild_id)
        refusal = await _refusal(connection, means, projection, found)
    work = partial(_done, means, services_of(request).settings, projection, found, seen, refusal)
    done = await carried_out(request, Action(f"rebuild.{what}", f"{found.projection} {found.id}"), work)
    return lead_to(links.rebuild(found.id), rebuild_view.did(what, done))


async def _done(
    means: Means,
    settings: Settings,
    projection: Projection[Any],
    found: Rebuild,
    seen: dt.datetime | None,
    refusal: str | None,
) -> Rebuild:
    """Do something with a rebuild; raises what the command does, and `NotAsSeen`."""
    if refusal is not None:
        raise states.NotAsSeen(refusal)
    return await means.work(settings, projection, replace(found, moved_at=seen or found.created_at))


def _moment(text: str) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return None
