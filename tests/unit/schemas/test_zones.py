"""Time zones: the same names and rules on every machine, whatever lies in its own folder of zones."""

import datetime as dt
import zoneinfo
from collections.abc import Generator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from projections import rows
from runtime.settings import SettingsError, read_settings
from schemas.checks import fault_of
from schemas.zones import is_zone, zone
from tests.events import listed
from tests.sources import modules

IN_UTC: Any = vars(rows)["_in_utc"]
NOON = dt.datetime(2025, 10, 25, 12)
ZONES = ("Australia/Sydney", "America/Argentina/Ushuaia", "Etc/GMT+5", "UTC", "EST5EDT", "US/Pacific")
NO_ZONES = (
    "localtime",
    "posixrules",
    "Factory",
    "right/UTC",
    "posix/Europe/Berlin",
    "leapseconds",
    "tzdata.zi",
    "zone.tab",
    "Europe",
    "europe/berlin",
    "EUROPE/BERLIN",
    "utc",
    "Europe/Berlin ",
    "Europe//Berlin",
    "Europe/../Europe/Berlin",
    "./UTC",
    "/usr/share/zoneinfo/UTC",
    "../zones",
    "__init__.py",
    "Europe/Berlin\0",
    "",
    ".",
)


@pytest.fixture(params=["none", "bogus"])
def own_folder(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[None]:
    """A machine without a folder of zones, and one whose folder has every name, each with UTC's rules."""
    if request.param == "bogus":
        utc = (resources.files("tzdata") / "zoneinfo" / "UTC").read_bytes()
        for name in (*ZONES, "localtime", "posixrules", "Factory", "right/UTC", "posix/Europe/Berlin"):
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(utc)
    zone.cache_clear()
    zoneinfo.reset_tzpath(to=[tmp_path])
    yield
    zoneinfo.reset_tzpath()
    zone.cache_clear()


@pytest.mark.usefixtures("own_folder")
def test_a_name_is_a_zone_or_none_by_itself() -> None:
    assert [name for name in ZONES if not is_zone(name)] == []
    assert [name for name in NO_ZONES if is_zone(name) or zone(name)] == []


@pytest.mark.usefixtures("own_folder")
def test_events_settings_and_rows_read_the_same_zones() -> None:
    assert fault_of(listed(1, time_zone="Australia/Sydney")) is None
    assert IN_UTC(NOON, "Australia/Sydney") == dt.datetime(2025, 10, 25, 1, tzinfo=dt.UTC)
    for name in NO_ZONES:
        assert fault_of(listed(1, time_zone=name)) == f"time_zone {name!r} is no IANA zone"
        assert IN_UTC(NOON, name) is None


@pytest.mark.parametrize("name", ["localtime", "right/UTC", "europe/berlin", "Factory"])
def test_a_setting_that_names_no_zone_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=f"LAPSTREAM_TRACK_ZONES: '{name}' is no IANA zone"):
        read_settings({"LAPSTREAM_TRACK_ZONES": f"track={name}"})


def test_zones_are_read_in_one_place() -> None:
    assert [path for path, text in modules() if "zoneinfo" in text] == ["schemas/zones.py"]
