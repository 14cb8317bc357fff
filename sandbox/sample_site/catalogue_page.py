"""The start of the site: all its tracks.

In: the tracks' slugs and the address under which each stands. Out: the page's bytes.
"""

from collections.abc import Callable, Sequence
from html import escape

from sandbox.sample_site import naming, pen, templates
from sandbox.sample_site.templates import Spelling

_EVENT_EACH = 3
_AGES = ("1 minute ago", "5 hours ago", "yesterday", "3 months ago", "last year")


def render_catalogue(
    slugs: Sequence[str], address_of: Callable[[str], str], *, spelling: Spelling = "served"
) -> bytes:
    """The list of these tracks; `address_of` gives a track's address without its scheme, as `//a.example`."""
    rows = (_row(spelling, number, slug, address_of(slug)) for number, slug in enumerate(slugs))
    return pen.page(
        spelling,
        title="Sample Site :: Watch Nobody Drive",
        track="Sample Site",
        heading="Track List",
        content=templates.whole("catalogue", spelling).fill(rows="".join(rows)),
    )


def _row(spelling: Spelling, number: int, slug: str, address: str) -> str:
    """A track; each third has an event of its own."""
    event = "" if number % _EVENT_EACH else '<div class="indent"><small>Round 1 &amp; 2</small></div>'
    return templates.repeated("catalogue_row", spelling).fill(
        address=escape(address),
        state="results" if number else "live",
        age=_AGES[number % len(_AGES)],
        name=pen.label(spelling, naming.track_name(slug), 30),
        event=event,
    )
