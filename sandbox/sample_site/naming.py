"""Invented names, and ids that say whose they are.

In: a track's slug, a date, a number. Out: a display name, a session id and the way back to its date.
No name here is a real person's.
"""

import datetime as dt
import zlib
from dataclasses import dataclass

DRIVERS = (
    "Abel Thornwick",
    "Bryn Castellane",
    "Corin Maplethorpe",
    "Dorrit Vanterpool",
    "Emlyn Quarrie",
    "Fenna Oosterwyck",
    "Gideon Larkspur",
    "Hollis Brackenridge",
    "Isolde Pennyfarth",
    "Joss Underhay",
    "Kester Wainscott",
    "Linnet Ashgrove",
    "Merrick Dunsfold",
    "Nerys Halloway",
    "Orrin Peverell",
    "Petra Silverlock",
    "Quill Ravenscar",
    "Rowan Tidewater",
    "Saskia Brightwell",
    "Tobin Everard-Stokes",
    "Una McTavernay",
    "Vesper O'Callow",
    "Wilf Greymantle",
    "Yorick Zandstra",
)

CLASSES = (
    "1/10 2WD Buggy",
    "1/10 Open",
    "1/10 Stadium Truck",
    "1/8 Electric Buggy",
    "1/8 Nitro Buggy",
    "1/8 Nitro Truggy",
)

TRACKS: dict[str, str | None] = {
    "sample-track": None,
    "other-track": None,
    "thornwick-oval": "Thornwick Oval",
    "umea-paahittad": "Umeå Påhittade RC-Klubb",
    "smorrebrod-ring": "Smørrebrød Ringen",
    "zlota-petla": "Złota Pętla RC",
    "circuit-imagine": "Circuit Imaginé de l'Étang",
    "kakuu-saakitto": "架空サーキット",
    "vymysel": "Вымышленный трек",
    "khayal": "مضمار الخيال",
    "odells-and-co": "O'Dell's & <b>Co</b> \"Speedway\"",
}
"""The tracks of the catalogue, by their slugs, and the names of those whose name isn't made from it."""

_DAYS = 4_000_000
_SESSIONS = 10_000
_TRACKS = 200_000


@dataclass(frozen=True, slots=True)
class Entry:
    """Who drives what: a driver, a class and the transponder in the car."""

    driver: str
    class_name: str
    transponder: str | None


def track_name(track_slug: str) -> str:
    """The track's display name: its own, or one made from its slug."""
    return TRACKS.get(track_slug) or f"{track_slug.replace('-', ' ').title()} Model Car Club"


def session_id(track_slug: str, date: dt.date, number: int) -> str:
    """The id of a day's session number 0 to 9,999: at most 16 digits, rising with the date.

    Ids differ between the days of a track always, between two tracks but for one chance in 200,000.
    """
    track = zlib.crc32(track_slug.encode()) % _TRACKS
    return str((track * _DAYS + date.toordinal()) * _SESSIONS + number)


def date_of(session_id: str) -> dt.date | None:
    """The date within a session id, or None when it holds none."""
    if not session_id.isascii() or not session_id.isdigit() or len(session_id) > 16:
        return None
    ordinal = int(session_id) // _SESSIONS % _DAYS
    return dt.date.fromordinal(ordinal) if 1 <= ordinal <= dt.date.max.toordinal() else None
