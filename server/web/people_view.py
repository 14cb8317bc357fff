"""What the pages about people hold: pure, so that it is tested without a server."""

from collections.abc import Iterable
from uuid import UUID

import msgspec
from msgspec import Struct

from laps.people import different
from store.finding import FoundDriver
from store.people import AliasKey
from store.reading import DriverView


class Choice(Struct, frozen=True, kw_only=True):
    """A driver to be ticked, whatever the name, or under one name; `value` is what the form sends."""

    name: str | None
    value: str


class Candidate(Struct, frozen=True, kw_only=True):
    """A driver who may be one person with another; `person` is whose the driver is already."""

    driver: DriverView
    person: UUID | None
    choices: list[Choice]


def sent(key: AliasKey) -> str:
    """An alias as a form sends it."""
    return msgspec.json.encode(tuple(key)).decode()


def choices_of(driver: DriverView) -> list[Choice]:
    """How a driver can be joined: of one who has driven under several names, under each of them."""
    key = AliasKey(driver.source, driver.source_driver_id)
    if len(different(driver.names)) <= 1:
        return [Choice(name=None, value=sent(key))]
    return [Choice(name=name, value=sent(key._replace(driver_name=name))) for name in driver.names]


def candidates_of(drivers: Iterable[FoundDriver]) -> list[Candidate]:
    """Drivers to be ticked."""
    return [
        Candidate(driver=driver, person=driver.person_id, choices=choices_of(driver)) for driver in drivers
    ]
