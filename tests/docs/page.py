"""The parts of a page that are carried out.

- A fence `console` holds commands after `$ ` (going on after `\\`, or with `> `), each followed by what it
  prints; a fence `sh` a script, of which nothing is shown.
- A fence under a line that is nothing but a file's name in bold is written into that file.
- An HTML comment of such commands alone is carried out, and shown to nobody.
- `<!-- not run: REASON -->` before a fence says why it is left alone.
- `<!-- needs: PROGRAM, PROGRAM -->` names what a page uses that not every machine has.
"""

import re
import shutil
from collections.abc import Callable, Iterator

from msgspec import Struct

_PARTS = re.compile(
    r"^<!--\n(?P<hidden>\$ .*?)^-->$"
    r"|(?:^ *<!-- not run: (?P<reason>[^\n]+) -->\n+)?"
    r"(?:^\*\*`(?P<file>[^`\n]+)`\*\*\n\n)?"
    r"^(?P<indent> *)```(?P<language>\w*)\n(?P<body>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)


class Block(Struct, frozen=True, kw_only=True):
    """A fence, or a comment of commands; `start` and `end` are the place of its body in the page."""

    language: str
    body: str
    start: int
    end: int
    indent: str = ""
    hidden: bool = False
    file: str | None = None
    reason: str | None = None

    @property
    def commands(self) -> bool:
        """Whether it holds commands."""
        return self.hidden or self.language in {"console", "sh"}

    @property
    def runs(self) -> bool:
        """Whether they are carried out."""
        return self.commands and self.reason is None


class Command(Struct, kw_only=True):
    """A command as it is typed, and the lines that it prints."""

    lines: list[str]
    output: list[str]

    @property
    def text(self) -> str:
        """What the shell gets."""
        return "\n".join(re.sub(r"^[$>] ", "", line) for line in self.lines)


def blocks(page: str) -> Iterator[Block]:
    """The blocks of a page, in order."""
    for found in _PARTS.finditer(page):
        group = "body" if found["hidden"] is None else "hidden"
        indent = found["indent"] or ""
        yield Block(
            language=found["language"] or "",
            body=re.sub(rf"^{indent}", "", found[group], flags=re.MULTILINE),
            start=found.start(group),
            end=found.end(group),
            indent=indent,
            hidden=group == "hidden",
            file=found["file"],
            reason=found["reason"],
        )


def lacking(page: str) -> list[str]:
    """The programs that a page uses, and this machine lacks."""
    named = re.findall(r"^<!-- needs: (.*) -->$", page, re.MULTILINE)
    needed = ["bash", "curl", "jq", *", ".join(named).split(", ")]
    return [name for name in needed if name and shutil.which(name) is None]


def commands(body: str) -> list[Command]:
    """The commands of a fence `console`, or of a comment."""
    found: list[Command] = []
    for line in body.splitlines():
        if line.startswith("$ "):
            found.append(Command(lines=[line], output=[]))
        elif _goes_on(found[-1], line):
            found[-1].lines.append(line)
        else:
            found[-1].output.append(line)
    return found


def _goes_on(command: Command, line: str) -> bool:
    return not command.output and (command.lines[-1].endswith("\\") or line.startswith("> "))


def filled(page: str, bodies: Callable[[Block], str]) -> str:
    """The page with other bodies in its blocks."""
    parts: list[str] = []
    place = 0
    for block in blocks(page):
        body = re.sub(r"^(?=.)", block.indent, bodies(block), flags=re.MULTILINE)
        parts += [page[place : block.start], body]
        place = block.end
    return "".join([*parts, page[place:]])
