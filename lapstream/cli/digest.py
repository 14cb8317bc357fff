"""What the tables hold, as checksums on the terminal."""

import asyncio

from lapstream.cli.output import out, print_json
from lapstream.cli.tables import Listing
from runtime.database import connected
from runtime.settings import read_settings
from store.digest import OBSERVATION_TABLES, READ_TABLES, RECORD_TABLES, TableDigest, digest


def show(*, as_json: bool) -> None:
    """Show one checksum for each table."""
    digests = asyncio.run(_digests(READ_TABLES + OBSERVATION_TABLES + RECORD_TABLES))
    if as_json:
        print_json({one.table: {"rows": one.rows, "digest": one.digest} for one in digests})
        return
    table = Listing("Table", "Rows", "Digest", folded={"Table"}, right={"Rows"})
    for one in digests:
        table.add(one.table, str(one.rows), one.digest)
    out.print(table)


async def _digests(tables: tuple[str, ...]) -> list[TableDigest]:
    async with connected(read_settings()) as connection:
        return await digest(connection, tables)
