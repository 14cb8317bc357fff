"""PostgreSQL's own pg_dump: everything that it knows of a database's schema, as text."""

import asyncio
from asyncio.subprocess import PIPE

from sandbox.embedded.postgres import MAJOR, POSTGRES_VERSIONS

SECONDS = 60.0


async def dumped(dsn: str, *without: str) -> set[str]:
    """The parts of a dump without data and without these schemas, as a set: their order says nothing."""
    leaving_out = [f"--exclude-schema={name}" for name in without]
    process = await asyncio.create_subprocess_exec(
        POSTGRES_VERSIONS[MAJOR] / "pg_dump",
        "--schema-only",
        *leaving_out,
        f"--dbname={dsn}",
        stdout=PIPE,
        stderr=PIPE,
    )
    printed, complaint = await asyncio.wait_for(process.communicate(), SECONDS)
    assert process.returncode == 0, complaint
    _, *parts = printed.decode().split("\n-- Name: ")
    return {part.split("\n\\unrestrict ")[0].strip("-\n ") for part in parts}
