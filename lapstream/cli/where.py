"""Where and when something was driven, by what people type: a track's slug, a source, a day, a class."""

import datetime as dt
from uuid import UUID

from msgspec import Struct

from producer.site import SOURCE
from schemas.identity import track_id
from store.reading import Scope


def row_of_track(slug: str | None, source: str | None) -> UUID | None:
    """The id of a track's row, at a source or else at the site; None for all tracks."""
    return track_id(source or SOURCE, slug) if slug else None


class Where(Struct, frozen=True, kw_only=True):
    """Where and when; None for anywhere and ever."""

    track: str | None
    date: dt.date | None
    class_name: str | None
    source: str | None

    @property
    def scope(self) -> Scope:
        """The sessions that are meant."""
        return Scope(row_of_track(self.track, self.source), self.class_name, self.date, self.date)
