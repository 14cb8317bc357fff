"""The site's list of its tracks, on the terminal."""

from collections.abc import Sequence

from lapstream.cli.database import on_database
from lapstream.cli.forms import form_of, print_rows, text
from lapstream.cli.output import note, out, print_json
from lapstream.cli.tables import Listing
from producer import catalogue
from producer.catalogue import Catalogue, ListedTrack
from producer.site import SOURCE
from schemas.searching import words_of
from store.pool import Connection


def find(words: Sequence[str], limit: int, *, gone: bool, as_json: bool, as_csv: bool) -> None:
    """Print the tracks of the site in whose name or slug these words stand."""
    form = form_of(as_json=as_json, as_csv=as_csv)

    async def found(connection: Connection) -> tuple[Catalogue | None, list[ListedTrack]]:
        wanted = words_of(" ".join(words))
        tracks = await catalogue.find(connection, SOURCE, wanted, gone=gone, limit=limit)
        return await catalogue.read(connection, SOURCE), tracks

    known, tracks = on_database(found)
    if known is None or known.fetched_at is None:
        note(_missing(known))
    print_rows(ListedTrack, tracks, form, show)


def _missing(known: Catalogue | None) -> str:
    if known is None:
        return "the site's list of tracks is not fetched yet: `lapstream tracks refresh` asks for it"
    why = f": {known.error}" if known.error else "; `lapstream run fetcher` fetches it"
    return f"the site's list of tracks was asked for, and did not come yet{why}"


def show(tracks: Sequence[ListedTrack]) -> None:
    """Print tracks as a table."""
    table = Listing("Slug", "Name", "Days stored", "Newest day", "Gone since", folded={"Name"})
    for one in tracks:
        gone = one.gone_since and one.gone_since.date()
        table.add(one.track_slug, text(one.name), str(one.days), text(one.last_day), text(gone))
    out.print(table)


def refresh(*, as_json: bool) -> None:
    """Ask for the list."""
    known = on_database(lambda connection: catalogue.ask_for(connection, SOURCE))
    if as_json:
        print_json(known)
        return
    seen = f"; the present one has {known.tracks} tracks" if known.fetched_at else ""
    out.print(f"asked for: a fetcher (`lapstream run fetcher`) fetches it{seen}")
