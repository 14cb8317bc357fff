"""A copy in a process of its own: `python -m tests.log_copy_process export|import DIR`.

Settings are read as elsewhere. Segments are small and windows, too, so that it can be killed in the middle.
"""

import asyncio
import sys
from pathlib import Path

from ops.log_copies import importing
from ops.log_copies.exporting import export_log
from runtime.settings import read_settings

SEGMENT_BYTES = 16 * 1024


def show(done: int, total: int) -> None:
    """Progress that nobody sees."""


async def main(what: str, folder: Path) -> None:
    """Export into a folder, or import from it."""
    if what == "export":
        settings = read_settings()
        await export_log(settings.broker, settings.topics, folder, show, SEGMENT_BYTES)
    else:
        importing.WINDOW = 7
        await importing.import_log(read_settings(), folder, show)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
