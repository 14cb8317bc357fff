"""Programs in other languages: their libraries are installed into the user's cache, once."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import platformdirs
import pytest
from filelock import FileLock

from tests.sources import ROOT

NODE = ROOT / "tests" / "node"
GO = ROOT / "tests" / "go"
INSTALL_SECONDS = 300


def node(program: str, *arguments: str, lines: Iterable[bytes]) -> list[Any]:
    """What a program of `tests/node` answers to these lines, as JSON; skips where Node.js is not there."""
    return _asked([*node_command(NODE, program), *arguments], lines)


def go(program: str, *arguments: str, lines: Iterable[bytes]) -> list[Any]:
    """What a program of `tests/go` answers to these lines, as JSON; skips where Go is not there."""
    return _asked([*go_command(GO, program), *arguments], lines)


def node_command(source: Path, program: str) -> list[str]:
    """What runs a program of a folder with its packages; skips where Node.js is not there."""
    need("node", "npm")
    folder = _cache("node", source / "package-lock.json")
    with FileLock(f"{folder}.lock"):
        if not (folder / "installed").exists():
            for name in ("package.json", "package-lock.json"):
                shutil.copy(source / name, folder)
            _install(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder, "npm's packages")
            (folder / "installed").touch()
        for found in source.glob("*.mjs"):
            if not (there := folder / found.name).exists() or there.read_bytes() != found.read_bytes():
                shutil.copy(found, there)
    return ["node", str(folder / program)]


def go_command(source: Path, program: str) -> list[str]:
    """What runs a program of a Go module; skips where Go is not there."""
    need("go")
    binary = _cache("go", source / "go.sum") / program
    with FileLock(f"{binary}.lock"):
        _install(["go", "build", "-o", str(binary), f"./{program}"], source, "Go's modules")
    return [str(binary)]


def need(*commands: str) -> None:
    """Skip the test where a command is not there."""
    for command in commands:
        if shutil.which(command) is None:
            pytest.skip(f"{command} is not on this machine")


def _cache(kind: str, lock: Path) -> Path:
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    folder = platformdirs.user_cache_path("lapstream") / f"tests-{kind}-{digest}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _install(command: list[str], folder: Path, what: str) -> None:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS
    )
    if done.returncode:
        pytest.skip(f"{what} can't be installed here: {done.stderr.strip()[-400:]}")


def _asked(command: list[str], lines: Iterable[bytes]) -> list[Any]:
    asked = b"".join(line.rstrip(b"\n") + b"\n" for line in lines)
    done = subprocess.run(command, input=asked, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]
