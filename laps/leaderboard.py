"""The leaderboards of a day: of each class, the drivers by their best laps."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

from msgspec import Struct

from store.days import SessionView


class Place(Struct, frozen=True, kw_only=True):
    """A driver's place in a class: the best lap of the day and its session, and how much was driven.

    `session` is the id of the session's row.
    """

    place: int
    driver_id: UUID
    source_driver_id: str
    driver_name: str | None
    transponder_number: str | None
    fast_lap_time: float
    session: UUID
    session_id: str
    run: int
    sessions: int
    laps: int


class Leaderboard(Struct, frozen=True, kw_only=True):
    """The drivers of a class by their best laps; those without a lap time have no place."""

    class_name: str | None
    places: list[Place]


def leaderboards(sessions: Iterable[SessionView]) -> list[Leaderboard]:
    """One leaderboard a class, by the classes' names; sessions without a class have the last one.

    Of equal times the one that was driven first is ahead.
    """
    ordered = sorted(sessions, key=_class)
    return [
        Leaderboard(class_name=name, places=places)
        for (_, name), ones in groupby(ordered, _class)
        if (places := _places(list(ones)))
    ]


def _class(session: SessionView) -> tuple[bool, str | None]:
    return session.class_name is None, session.class_name


def _places(sessions: Sequence[SessionView]) -> list[Place]:
    bests: dict[UUID, SessionView] = {}
    for session in sorted((one for one in sessions if one.fast_lap_time), key=_rank):
        bests.setdefault(session.driver_id, session)
    return [_place(number, best, sessions) for number, best in enumerate(bests.values(), 1)]


def _rank(session: SessionView) -> tuple[Any, ...]:
    return session.fast_lap_time, session.start_time is None, session.start_time, session.session_id


def _place(number: int, best: SessionView, sessions: Sequence[SessionView]) -> Place:
    driven = [session for session in sessions if session.driver_id == best.driver_id]
    return Place(
        place=number,
        driver_id=best.driver_id,
        source_driver_id=best.source_driver_id,
        driver_name=best.driver_name,
        transponder_number=best.transponder_number,
        fast_lap_time=best.fast_lap_time or 0,
        session=best.id,
        session_id=best.session_id,
        run=best.run,
        sessions=len(driven),
        laps=sum(session.laps_completed or 0 for session in driven),
    )
