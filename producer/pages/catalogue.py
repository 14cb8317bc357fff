"""The catalogue: a page's bytes go in, the site's tracks come out."""

from collections.abc import Callable
from typing import NamedTuple

from producer.pages.errors import NotThatPage, TooManyEntries
from producer.pages.findings import Code, Findings
from producer.pages.page import check_whole, first, open_page, text_of
from producer.pages.refusing import refuse
from producer.pages.tables import Row, find_table, is_header, tables_of
from schemas.events import Finding, Value
from schemas.fields import Label, TrackSlug

MAX_TRACKS = 5_000
"""The most tracks of a catalogue; LiveRC has some 1,100."""

MAX_NAME = 300

_HEADERS = ["Status", "Track Name"]

SlugOf = Callable[[str], str | None]
"""The track whose pages a link leads to; None for a link to anything else."""


class CatalogueTrack(Value, frozen=True, kw_only=True):
    """A track of the site; the name is null where the page has none that can be kept."""

    track_slug: TrackSlug
    name: Label | None = None


class CataloguePage(Value, frozen=True, kw_only=True):
    """What the catalogue says: the tracks in the order of the page, each once."""

    tracks: tuple[CatalogueTrack, ...] = ()
    findings: tuple[Finding, ...] = ()


class _RowTexts(NamedTuple):
    """A row's link, and the name that it shows."""

    href: str
    name: str


def parse_catalogue(body: bytes, *, url: str, slug_of: SlugOf) -> CataloguePage:
    """What the catalogue says; `slug_of` knows the links to tracks of this site.

    Raises:
        PageError: the page is not a whole catalogue, or not one of its rows names a track.
    """
    tree = open_page(body, url)
    table = find_table(tables_of(tree), _HEADERS)
    if table is None:
        refuse(tree, body, url, "no table of tracks")
    check_whole(body, url)
    rows = [_texts(row) for row in table if not is_header(row, _HEADERS)]
    if len(rows) > MAX_TRACKS:
        raise TooManyEntries(url, f"{len(rows)} tracks, {MAX_TRACKS} allowed")
    found = _facts(rows, slug_of)
    if not found.tracks:
        raise NotThatPage(url, f"a table of tracks, and none of its {len(rows)} rows names a track")
    return found


def _texts(row: Row) -> _RowTexts:
    link = first(row[-1], "a") if row else None
    return _RowTexts(link.attributes.get("href") or "" if link else "", text_of(link))


def _facts(rows: list[_RowTexts], slug_of: SlugOf) -> CataloguePage:
    findings = Findings()
    tracks: dict[str, CatalogueTrack] = {}
    for row in rows:
        slug = slug_of(row.href)
        if slug is None:
            findings.add(Code.UNREADABLE_TRACK, f"{row.href} | {row.name}")
        elif slug in tracks:
            findings.add(Code.DUPLICATE_TRACK, f"{slug} | {row.name}", tracks[slug].name)
        else:
            tracks[slug] = CatalogueTrack(track_slug=slug, name=_name(row, findings))
    return CataloguePage(tracks=tuple(tracks.values()), findings=findings.all())


def _name(row: _RowTexts, findings: Findings) -> str | None:
    if len(row.name) > MAX_NAME:
        findings.add(Code.TEXT_TOO_LONG, row.name)
        return None
    if not row.name:
        findings.add(Code.UNREADABLE_VALUE, f"no name: {row.href}")
    return row.name or None
