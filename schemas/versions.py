"""Versions of a type: an event of an old one is read as it was written, and brought to the present one.

A change that misleads no reader keeps the type's name; any other makes a new type (`….v2`), and the old one
stays in `EVENT_TYPES`, so that it is read for ever. What is read goes on as the newest version only.
"""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from schemas.events import Event, SessionDetailFetched, SessionDetailFetchedV1, SessionFacts, SessionFactsV1
from schemas.times import lap_range, lap_range_text


def detail_from_v1(event: SessionDetailFetchedV1) -> SessionDetailFetched:
    """The lap range as two numbers; null where the text says none."""
    return SessionDetailFetched(**_with_range(event, lap_range(event.valid_lap_range)))


def facts_from_v1(facts: SessionFactsV1) -> SessionFacts:
    """The same without what is said of the observation."""
    return SessionFacts(**_with_range(facts, lap_range(facts.valid_lap_range)))


def facts_as_v1(facts: SessionFacts) -> SessionFactsV1:
    """What `facts_from_v1` makes these facts of, to the millisecond."""
    return SessionFactsV1(**_with_range(facts, lap_range_text(facts.valid_lap_range)))


def _with_range(facts: Struct, bounds: object) -> dict[str, Any]:
    return asdict(facts) | {"valid_lap_range": bounds}


UPCASTERS: Mapping[str, Callable[[Any], Any]] = {SessionDetailFetchedV1.type_name: detail_from_v1}
"""By the name of an old type: what makes an event of it one of the next version, by its content alone."""


def upcast(event: Any) -> Event:  # noqa: ANN401 - of any version
    """The event in the present version of its type; itself where it is of that already."""
    while step := UPCASTERS.get(event.type_name):
        event = step(event)
    return event


def family(type_name: str) -> tuple[str, int]:
    """A type's name without its version, and the version."""
    name, _, version = type_name.rpartition(".v")
    return name, int(version)
