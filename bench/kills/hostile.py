"""Defaults of a database's sessions that change what statements mean, return or survive."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from store.pool import connect

HOSTILE = {
    "default_transaction_isolation": "repeatable read",
    "default_transaction_read_only": "on",
    "session_replication_role": "replica",
    "search_path": "elsewhere",
    "statement_timeout": "300ms",
    "lock_timeout": "3ms",
    "transaction_timeout": "300ms",
    "idle_session_timeout": "300ms",
    "idle_in_transaction_session_timeout": "3ms",
    "row_security": "off",
    "synchronous_commit": "off",
    "exit_on_error": "on",
    "TimeZone": "Australia/Lord_Howe",
    "DateStyle": "SQL, DMY",
    "IntervalStyle": "sql_standard",
    "bytea_output": "escape",
    "extra_float_digits": "-15",
    "quote_all_identifiers": "on",
    "standard_conforming_strings": "off",
    "array_nulls": "off",
    "transform_null_equals": "on",
}
"""Each with a value that breaks code which relies on the default."""


async def by_default(dsn: str, settings: Mapping[str, str]) -> None:
    """Let every later session of a database begin with these settings, as far as its server knows them."""
    name = urlsplit(dsn).path.strip("/")
    admin = await connect(dsn)
    known = {one["name"] for one in await admin.fetch("SELECT name FROM pg_settings")}
    for setting in settings.keys() & known:
        await admin.execute(f"ALTER DATABASE {name} SET {setting} = '{settings[setting]}'")
    await admin.close()
