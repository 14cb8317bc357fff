"""Versions of a type: an event of an old one is read as it was written, and brought to the present one.

A version that mislead no reader goes on under its name; any other is a new type (`….v2`), and the old one
stays in `EVENT_TYPES`, so that it is read for ever. What is read goes on as the newest version only.
"""

from collections.abc import Callable, Mapping
from typing import Any

from schemas.events import Event

UPCASTERS: Mapping[str, Callable[[Any], Any]] = {}
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
