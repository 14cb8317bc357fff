"""The page's parts, from the files in `templates/`, in both spellings.

In: a file's name and a spelling. Out: a template that is filled by joining strings, so that a page costs
microseconds. The files are laid out as a formatter saves a page; what a server sends is made from them.
Their scripts and links are there for their size and shape: nothing on the site runs or answers them.
"""

import re
from functools import cache
from importlib import resources
from typing import Literal

Spelling = Literal["served", "saved"]

_SLOT = re.compile(r"@\{(\w+)\}")
_BROKEN_TAG = re.compile(r"</?[a-z][^<>]*\n[^<>]*>")
_BREAK = re.compile(r"\s*\n\s*")
_AROUND_SLOT = re.compile(r"(?<=>)\s*\n\s*(?=@\{)|(?<=\})\s*\n\s*(?=</)")
_BESIDE_TAG = re.compile(r"(?<=>)\s*\n\s*|\s*\n\s*(?=<)")


class Template:
    """A text with named slots."""

    def __init__(self, text: str) -> None:
        parts = _SLOT.split(text)
        self._texts, self._names = parts[::2], parts[1::2]

    def fill(self, **values: str) -> str:
        """The text with each slot's value, as it stands: escaping is the caller's part."""
        filled = [self._texts[0]]
        for name, text in zip(self._names, self._texts[1:], strict=True):
            filled += (values[name], text)
        return "".join(filled)


@cache
def whole(name: str, spelling: Spelling) -> Template:
    """A large part of a page: as served, no tag is broken over lines."""
    text = _read(name)
    return Template(text if spelling == "saved" else _AROUND_SLOT.sub("", _mend_tags(text)))


@cache
def repeated(name: str, spelling: Spelling) -> Template:
    """A part that occurs many times in a page: as served, it stands on one line."""
    text = _read(name)
    return Template(text if spelling == "saved" else _BESIDE_TAG.sub("", _mend_tags(text)) + "\n")


def _read(name: str) -> str:
    return (resources.files("sandbox.sample_site") / "templates" / f"{name}.html").read_text("utf-8")


def _mend_tags(text: str) -> str:
    return _BROKEN_TAG.sub(lambda tag: _BREAK.sub(_gap, tag[0]), text)


def _gap(space: re.Match[str]) -> str:
    return "" if space.string[space.end()] == ">" else " "
