"""All statements of the project, by name."""

import subprocess
from pathlib import Path

from store import statements

ROOT = Path(__file__).parents[1]


def all_statements() -> dict[str, str]:
    """Every statement that lies beside a module; a name stands for one only."""
    found: dict[str, str] = {}
    for file in files():
        read = statements.read(file)
        assert not found.keys() & read.keys(), f"{file} has names of another file"
        found |= read
    return found


def files() -> list[Path]:
    """The files of statements."""
    listed = subprocess.run(
        ["git", "ls-files", "*.sql"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    return [ROOT / name for name in listed if (ROOT / name).with_suffix(".py").is_file()]
