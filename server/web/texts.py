"""What the pages say: one file of texts for each language, read once.

A text is named by its part and its own name, as `day.leaders`, and may have slots, as `{track}`. What fills
them is escaped by the template, as everything else is.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("texts")
ENGLISH = "en"


class Texts:
    """The texts of one language, by its code, which the page names; `parts` has all by their names."""

    def __init__(self, language: str) -> None:
        self.language = language
        file = FOLDER / f"{language}.toml"
        self.parts: dict[str, dict[str, Any]] = tomllib.loads(file.read_text(encoding="utf-8"))

    def __call__(self, name: str, /, **values: object) -> str:
        """A text with its slots filled; raises KeyError for a name that is none."""
        text = self._of(name)
        return text.format(**values) if values else text

    def either(self, name: str, otherwise: str) -> str:
        """The text of a name that came from elsewhere, as an error's code; else another one's."""
        part, _, own = name.partition(".")
        return self.parts[part].get(own) or self(otherwise)

    def count(self, name: str, number: int) -> str:
        """So many of something, as `units.lap`: the one text for one, the other for any other number."""
        one, other = self._of(name)
        return (one if number == 1 else other).format(n=f"{number:,}")

    def names(self, name: str) -> list[str]:
        """A list of names, as those of the months."""
        return self._of(name)

    def _of(self, name: str) -> Any:  # noqa: ANN401 - a text, or a list of texts
        part, _, own = name.partition(".")
        return self.parts[part][own]


TEXTS = Texts(ENGLISH)
"""The texts of every page at present."""


FIGURES = re.compile(r"[0-9]{1,9}")


def did(query: Mapping[str, str]) -> str | None:
    """What the form that led to a page did, by the page's address; None where none did.

    An address may come from elsewhere: it names one of our texts, and two numbers.
    """
    name = query.get("did", "")
    if name not in TEXTS.parts["did"]:
        return None
    figures = {slot: query.get(slot, "") for slot in ("n", "m")}
    numbers = {slot: int(text) if FIGURES.fullmatch(text) else 0 for slot, text in figures.items()}
    return TEXTS(f"did.{name}", **numbers)
