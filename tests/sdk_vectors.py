"""Records as the official CloudEvents SDKs of other languages write them, kept on file.

`python -m tests.sdk_vectors` writes the files anew, where Node.js and Go are there: after a release that
added examples, or for other versions of the SDKs.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from schemas.contract import released
from tests import foreign

FOLDER = Path(__file__).parent / "unit" / "contract" / "sdk"

SDKS = ("javascript", "go")


class SdkRecord(NamedTuple):
    """A record that an SDK made, of which type, and how."""

    type_name: str
    how: str
    headers: tuple[tuple[str, bytes], ...]
    value: bytes


def asked(sdk: str, what: str, lines: Iterable[bytes]) -> list[Any]:
    """What an SDK answers when it is asked to `write` records of events, or to `read` records."""
    return foreign.go("sdk", what, lines=lines) if sdk == "go" else foreign.node("sdk.mjs", what, lines=lines)


def on_file(sdk: str) -> list[SdkRecord]:
    """The records of an SDK."""
    return [_record(json.loads(line)) for line in (FOLDER / f"{sdk}.jsonl").read_text().splitlines()]


def written(sdk: str) -> str:
    """What the SDK makes of the released examples, as it stands on file."""
    lines = [line for examples in released.examples().values() for line in examples]
    return "".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in asked(sdk, "write", lines))


def _record(one: Any) -> SdkRecord:
    type_name, how = one["name"].split(" ", 1)
    headers = tuple((name, text.encode()) for name, text in one["headers"])
    return SdkRecord(type_name, how, headers, one["value"].encode())


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in SDKS:
        (FOLDER / f"{name}.jsonl").write_text(written(name))
