"""The addresses of pages, in one place."""

import datetime as dt
from collections.abc import Iterable
from urllib.parse import quote, urlencode
from uuid import UUID

from producer.site import SOURCE


def track(source: str, slug: str, **query: object) -> str:
    """A track's page; the site's own tracks need no source."""
    return _with(f"/tracks/{quote(slug)}", source, query)


def records(source: str, slug: str) -> str:
    """The records of a track."""
    return _with(f"/tracks/{quote(slug)}/records", source, {})


def day(source: str, slug: str, date: dt.date, **query: object) -> str:
    """A practice day's page."""
    return _with(f"/tracks/{quote(slug)}/{date}", source, query)


def session(row: UUID) -> str:
    """A session's page."""
    return f"/sessions/{row}"


def compare(rows: Iterable[UUID]) -> str:
    """Sessions beside each other."""
    return f"/compare?{urlencode([('session', row) for row in rows])}"


def driver(row: UUID, **query: object) -> str:
    """A driver's page."""
    return _with(f"/drivers/{row}", SOURCE, query)


def person(row: UUID, **query: object) -> str:
    """A person's page."""
    return _with(f"/people/{row}", SOURCE, query)


def aliases(driver: UUID) -> str:
    """The form that says who is one person with a driver."""
    return f"/drivers/{driver}/aliases"


def unset(person: UUID, alias: str) -> str:
    """The question whether an alias is to be taken away."""
    return f"/people/{person}/unset?{urlencode({'alias': alias})}"


def older(path: str, cursor: str) -> str:
    """The next page of a list."""
    return f"{path}{'&' if '?' in path else '?'}{urlencode({'before': cursor})}"


def run(row: UUID) -> str:
    """An import's page."""
    return f"/imports/{row}"


def subscriptions() -> str:
    """The tracks that are subscribed to, and the days that are followed now."""
    return "/subscriptions"


def subscription(slug: str) -> str:
    """One of these tracks, or the form that makes it one."""
    return f"/subscriptions/{quote(slug)}"


def new_import(slug: str, date: dt.date | None = None) -> str:
    """The form for an import, with its track and day filled in."""
    return _with("/imports/new", SOURCE, {"track": slug, "date": date})


def overview() -> str:
    """The overview for operators."""
    return "/operate"


def lag(group: str | None = None) -> str:
    """How far the groups are behind, or one of them."""
    return "/operate/lag" if group is None else f"/operate/lag/{quote(group, safe='')}"


def runs(**query: object) -> str:
    """The newest imports, for operators."""
    return _with("/operate/runs", SOURCE, query)


def operated_run(row: UUID) -> str:
    """An import, for operators."""
    return f"/operate/runs/{row}"


def parked_list(**query: object) -> str:
    """The records that could not be applied."""
    return _with("/operate/parked", SOURCE, query)


def parked(topic: str, partition: int, offset: int) -> str:
    """One of these records."""
    return f"/operate/parked/{quote(topic, safe='')}/{partition}/{offset}"


def rebuilds() -> str:
    """The rebuilds."""
    return "/operate/rebuilds"


def rebuild(row: UUID) -> str:
    """One rebuild."""
    return f"/operate/rebuilds/{row}"


def site() -> str:
    """What holds the site's requests back."""
    return "/operate/site"


def new_month(slug: str, month: str | None = None) -> str:
    """The form for the import of a month (YYYY-MM), with its track and month filled in."""
    return _with("/imports/months/new", SOURCE, {"track": slug, "month": month})


def month_import(row: UUID) -> str:
    """The page of a month's import."""
    return f"/imports/months/{row}"


def csv(address: str, table: str) -> str:
    """A table of a page as a CSV file."""
    path, mark, query = address.partition("?")
    return f"{path}/{table}.csv{mark}{query}"


def drivers_csv(words: str) -> str:
    """Drivers who are called so, as a CSV file."""
    return _with("/drivers.csv", SOURCE, {"q": words})


def elsewhere(address: str | None) -> str | None:
    """An address that an event carries, where it is one of the web's: no other is made a link."""
    return address if address and address.startswith(("https://", "http://")) else None


def _with(path: str, source: str, query: dict[str, object]) -> str:
    of = {} if source == SOURCE else {"source": source}
    pairs = of | {name: value for name, value in query.items() if value is not None}
    return f"{path}?{urlencode(pairs)}" if pairs else path
