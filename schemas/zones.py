"""IANA time zones: a name goes in, its rules come out. They come from the package `tzdata` alone.

The operating system's own folder of zones is never read: its names and rules differ from machine to machine.
"""

import zoneinfo
from functools import cache, lru_cache
from importlib import resources

NO_ZONES = frozenset({"Factory"})
"""Names that tzdata lists for machines whose zone nobody has set."""


@cache
def _names() -> frozenset[str]:
    listed = (resources.files("tzdata") / "zones").read_text(encoding="utf-8")
    return frozenset(listed.split()) - NO_ZONES


def is_zone(name: str) -> bool:
    """Whether this is the name of a time zone, letter by letter as tzdata lists it."""
    return name in _names()


@lru_cache(maxsize=1_000)
def zone(name: str) -> zoneinfo.ZoneInfo | None:
    """The rules of a time zone; None where the name is not one."""
    if not is_zone(name):
        return None
    with resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as rules:
        return zoneinfo.ZoneInfo.from_file(rules, key=name)
