"""Commands as they were spelled before: they are run as they are spelled now, and a note says how that is."""

import shlex
import sys

REBUILD = ("start", "status", "pause", "resume", "cancel", "rollback")
"""The commands of `lapstream rebuild`; all but the first were options of it."""

_OPTIONS = {f"--{name}": name for name in REBUILD[1:]}
_RENAMED = {"--carry-over": "--translate-offsets", "--no-carry-over": "--no-translate-offsets"}
"""Options of `lapstream log import`."""

_HELP = ("-h", "--help")


def renewed(words: list[str]) -> list[str]:
    """The words that were typed behind `lapstream`, as they are spelled now."""
    new = _spelled_now(words)
    if new != words:
        old_text, new_text = (shlex.join(["lapstream", *each]) for each in (words, new))
        sys.stderr.write(f"note: `{old_text}` is spelled `{new_text}` now\n")
    return new


def _spelled_now(words: list[str]) -> list[str]:
    match words:
        case ["rebuild", first, *_] if first not in (*REBUILD, *_HELP):
            return ["rebuild", *_with_command(words[1:])]
        case ["verify", *rest] if "--cancel" in rest:
            return ["rebuild", *_with_command(rest), "--verify"]
        case ["log", "import", *_]:
            return [_RENAMED.get(word, word) for word in words]
        case _:
            return words


def _with_command(rest: list[str]) -> list[str]:
    """The first option that is a command now stands in front; without one, a rebuild is started."""
    option = next((word for word in rest if word in _OPTIONS), None)
    if option is None:
        return ["start", *rest]
    left = list(rest)
    left.remove(option)
    return [_OPTIONS[option], *left]
