"""Which drivers are one person, on the terminal."""

from collections.abc import Iterable, Sequence
from functools import partial

from laps import people
from laps.rows import AliasRow, alias_rows
from lapstream.cli.database import on_database
from lapstream.cli.forms import form_of, print_rows, text
from lapstream.cli.output import out, print_json
from lapstream.cli.tables import Listing
from store.people import Person, find_people
from store.pool import Connection

AT_A_TIME = 500
"""So many people are read at a time."""


def set_aliases(who: Sequence[str], names: Sequence[str], source: str | None, *, as_json: bool) -> None:
    """Say that drivers are one person; raises as `keys_called` and `join`."""
    person = on_database(partial(_joined, who=who, names=names, source=source))
    print_json(person) if as_json else show(list(alias_rows([person])))


async def _joined(
    connection: Connection, *, who: Sequence[str], names: Sequence[str], source: str | None
) -> Person:
    keys = [key for one in who for key in await people.keys_called(connection, one, names, source)]
    return await people.join(connection, list(dict.fromkeys(keys)))


def unset_alias(who: str, names: Sequence[str], source: str | None, *, as_json: bool) -> None:
    """Say that a driver is no longer one with a person; raises as `keys_set` and `unset`."""
    left = on_database(partial(_unset, who=who, names=names, source=source))
    if as_json:
        print_json(left)
    elif left:
        show(list(alias_rows([left])))
    else:
        out.print("no alias of this person is left")


async def _unset(
    connection: Connection, *, who: str, names: Sequence[str], source: str | None
) -> Person | None:
    left = None
    for key in await people.keys_set(connection, who, names, source):
        left = await people.unset(connection, key)
    return left


def list_all(*, as_json: bool, as_csv: bool) -> None:
    """List the aliases that are set."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    print_rows(AliasRow, list(alias_rows(on_database(_every))), form, show)


async def _every(connection: Connection) -> list[Person]:
    found: list[Person] = []
    while ones := await find_people(connection, after=found[-1].id if found else None, limit=AT_A_TIME):
        found += ones
    return found


def show(aliases: Iterable[AliasRow]) -> None:
    """Print aliases as a table."""
    table = Listing(
        *("Person", "Transponder or id", "Only as", "Names", "Sessions", "Last"),
        folded={"Person", "Transponder or id", "Only as", "Names"},
        right={"Sessions"},
    )
    for one in aliases:
        table.add(
            text(one.person),
            text(one.source_driver_id),
            text(one.driver_name),
            text(", ".join(one.names) or None),
            str(one.sessions),
            text(one.last_day),
        )
    out.print(table)
