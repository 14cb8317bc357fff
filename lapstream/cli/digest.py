"""What the tables hold, as checksums on the terminal."""

from functools import partial

from lapstream.cli.database import on_database
from lapstream.cli.output import out, print_json
from lapstream.cli.tables import Listing
from store.digest import OBSERVATION_TABLES, READ_TABLES, RECORD_TABLES, digest


def show(*, as_json: bool) -> None:
    """Show one checksum for each table."""
    digests = on_database(partial(digest, tables=READ_TABLES + OBSERVATION_TABLES + RECORD_TABLES))
    if as_json:
        print_json({one.table: {"rows": one.rows, "digest": one.digest} for one in digests})
        return
    table = Listing("Table", "Rows", "Digest", folded={"Table"}, right={"Rows"})
    for one in digests:
        table.add(one.table, str(one.rows), one.digest)
    out.print(table)
