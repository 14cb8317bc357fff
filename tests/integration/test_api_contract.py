"""The running API against its own document: schemathesis asks what it allows, and what it does not."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

import pytest

from schemas.identity import day_row_id, driver_id
from schemas.scopes import Scope
from server.api.document import document
from server.listening import serving
from tests.api import no_month, settings_of, stored, token
from tests.events import DATE, fetched, listed, row

EXAMPLES = os.environ.get("HYPOTHESIS_EXAMPLES", "10")

CONFIGURATION = f"""
max-stream-events = 1

[checks]
# What has the right form, and still can't be carried out (a day to come, a cursor of another list), is a 422.
positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "404", "409", "422"]
# `DELETE` cancels a run: that it was cancelled can be read.
use_after_free.enabled = false

[[operations]]
# 8.0 is a whole number to JSON Schema, and none to a strict reader.
include-operation-id = "discoverPracticeDays"
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "401", "403", "422"]

[[operations]]
include-operation-id = "readPracticeDay"
parameters = {{ track_slug = "track", date = "{DATE}" }}

[[operations]]
include-operation-id = "readSession"
parameters = {{ session = "{day_row_id(DATE, "race", "liverc", "track", "1")}" }}

[[operations]]
include-operation-id = "readDriver"
parameters = {{ driver = "{driver_id("liverc", "901")}" }}

[[operations]]
include-operation-id = "readProvenance"
parameters = {{ table = "laps", key = "track/2025-10-25/1/3" }}
"""


@pytest.mark.slow
@pytest.mark.timeout(300)  # thousands of requests, one after another
async def test_every_answer_is_as_the_document_has_it(dsn: str, tmp_path: Path) -> None:
    """No 5xx, no undocumented status or header, each body of its schema; nothing that is wrong is taken."""
    settings = settings_of(dsn)
    await stored(settings, [listed(1, row("1"), row("2")), fetched(2, "1")])
    key = await token(settings, Scope.ingest)
    (tmp_path / "openapi.json").write_bytes(document())
    (tmp_path / "schemathesis.toml").write_text(CONFIGURATION)
    async with serving(settings, no_month) as address:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "schemathesis.cli",
            "run",
            "openapi.json",
            f"--url={address}",
            f"--header=Authorization: Bearer {key}",
            "--header=Prefer: respond-async",
            f"--max-examples={EXAMPLES}",
            "--no-color",
            cwd=tmp_path,
            stdout=PIPE,
            stderr=STDOUT,
        )
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
