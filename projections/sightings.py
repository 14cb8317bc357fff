"""Who and where was seen: what outlives a day, the tracks and the drivers.

Observations go in; per track and per driver the newest sighting comes out. They only grow.
"""

from collections.abc import Iterable, Iterator

from projections.names import UNKNOWN_DRIVER, normalize_name
from projections.state import Sighted
from schemas.events import ListedSession, PracticeDayListed, SessionDetailFetched
from schemas.identity import driver_id, source_driver_id, track_id
from schemas.tables import DriverSighting, TrackSighting

_WITHOUT_TRANSPONDER = source_driver_id("", None)
"""How the ids of drivers without a transponder begin.

A driver's transponder is read off the id, so that a page that writes such an id as a transponder can't give
one driver two transponders.
"""


def newest_tracks(sighted: Iterable[Sighted]) -> list[TrackSighting]:
    """The newest list of each track that names it."""
    found: dict[object, TrackSighting] = {}
    for one in sighted:
        if isinstance(one.event, PracticeDayListed) and one.event.track_name is not None:
            track = _track(one, one.event, one.event.track_name)
            known = found.get(track.track_id)
            if known is None or (track.stamp, track.name) > (known.stamp, known.name):
                found[track.track_id] = track
    return sorted(found.values(), key=lambda track: track.track_id)


def _track(one: Sighted, event: PracticeDayListed, name: str) -> TrackSighting:
    return TrackSighting(
        track_id(event.source, event.track_slug),
        event.source,
        event.track_slug,
        name,
        event.time_zone,
        one.stamp,
    )


def newest_drivers(sighted: Iterable[Sighted]) -> list[DriverSighting]:
    """Of each driver the sighting in the newest session; one with a real name before one without."""
    found: dict[str, DriverSighting] = {}
    for one in sighted:
        for driver in _drivers(one):
            key = f"{driver.source}\0{driver.source_driver_id}"
            known = found.get(key)
            if known is None or rank(driver) > rank(known):
                found[key] = driver
    return sorted(found.values(), key=lambda driver: driver.driver_id)


def rank(driver: DriverSighting) -> tuple[object, ...]:
    """The greater one names the driver: by the session's start, so that no page fetched again changes it.

    What a topic says that counts less for the source comes after all that another one says.
    """
    return (
        driver.display_name is not None,
        driver.named,
        driver.stamp.authority,
        driver.start_time is not None,
        driver.start_time,
        driver.session_id,
        driver.stamp,
        driver.display_name or "",
    )


def _drivers(one: Sighted) -> Iterator[DriverSighting]:
    if isinstance(one.event, SessionDetailFetched):
        yield _driver(one, one.event)
        return
    for session in one.event.sessions:
        yield _driver(one, session)


def _driver(one: Sighted, session: ListedSession | SessionDetailFetched) -> DriverSighting:
    identity = source_driver_id(session.session_id, session.transponder_number)
    name = session.driver_name
    return DriverSighting(
        driver_id(one.event.source, identity),
        one.event.source,
        identity,
        None if identity.startswith(_WITHOUT_TRANSPONDER) else identity,
        name,
        None if name is None else normalize_name(name),
        name is not None and name != UNKNOWN_DRIVER,
        session.start_time,
        session.session_id,
        one.stamp,
    )
