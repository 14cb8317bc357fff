"""`make docs`: runs the commands on the pages that are named, or on all, and writes what they print."""

import sys
import time
from pathlib import Path

from tests import homes
from tests.docs.page import blocks, lacking
from tests.docs.shell import Overdue
from tests.docs.stage import CommandFailed, Stage
from tests.sources import PAGES


def main(names: list[str]) -> int:
    """Carry pages out, and write those whose outputs differ; 1 where one could not be carried out."""
    chosen = [Path(name).resolve() for name in names] or PAGES
    with homes.made() as pattern, homes.running(pattern) as home:
        stage = Stage(home)
        done = [
            _carried_out(stage, page)
            for page in chosen
            if any(block.runs for block in blocks(page.read_text()))
        ]
    return 0 if all(done) else 1


def _carried_out(stage: Stage, page: Path) -> bool:
    begin = time.monotonic()
    old = page.read_text()
    if missing := lacking(old):
        sys.stderr.write(f"{page.name} is left alone: this machine lacks {', '.join(missing)}\n")
        return True
    try:
        new = stage.played(old)
    except (CommandFailed, Overdue) as error:
        sys.stderr.write(f"{page.name}: {error}\n")
        return False
    page.write_text(new)
    state = "is as it was" if new == old else "is written anew"
    sys.stderr.write(f"{page.name} {state} ({time.monotonic() - begin:.1f} s)\n")
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
