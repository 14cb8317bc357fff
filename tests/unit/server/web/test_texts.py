"""Every text that a page says is there, and every one that is there is said."""

import re
from pathlib import Path
from string import Formatter

import pytest

from server.web.pages import TEMPLATES
from server.web.texts import FOLDER, TEXTS, Texts
from tests.sources import ROOT

WEB = ROOT / "server" / "web"
_WHOLE = re.compile(
    r"""(?:\bt|\bTEXTS)(?:\.count|\.names|\.parts)?\(\s*["']([a-z_]+(?:\.[a-z0-9_]+)?)["'],?"""
)
_BEGUN = re.compile(r"""\bt\("([a-z_]+\.[a-z_]*)" ~|f"([a-z_]+\.[a-z_]*)\{""")
_OTHERWISE = re.compile(r'either\([^)]*"([a-z_]+\.[a-z_]+)"\)')


def sources() -> str:
    files = [*TEMPLATES.rglob("*.html"), *WEB.rglob("*.py")]
    return "\n".join(file.read_text() for file in files)


def told() -> set[str]:
    """The names of the texts that the templates and the code ask for by their whole names."""
    return set(_WHOLE.findall(sources())) | set(_OTHERWISE.findall(sources()))


def begun() -> tuple[str, ...]:
    """How the names begin whose ends are data: of states, figures, error codes."""
    return tuple(one or other for one, other in _BEGUN.findall(sources()))


def every_name(texts: Texts) -> set[str]:
    return {f"{part}.{name}" for part, names in texts.parts.items() for name in names}


def test_every_text_that_is_asked_for_is_there() -> None:
    assert {name for name in told() if "." in name and not name.endswith("_")} <= every_name(TEXTS)


def test_every_text_is_asked_for() -> None:
    asked, begins = told(), begun()
    assert {name for name in every_name(TEXTS) if name not in asked and not name.startswith(begins)} == set()


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.toml")), ids=lambda file: file.stem)
def test_a_language_has_the_texts_of_english_with_their_slots(file: Path) -> None:
    texts = Texts(file.stem)
    assert every_name(texts) == every_name(TEXTS)
    for name in every_name(TEXTS):
        assert slots(texts, name) == slots(TEXTS, name), name


def slots(texts: Texts, name: str) -> set[str]:
    """The slots of a text; of one that has forms for one and many, those of all."""
    part, _, own = name.partition(".")
    text: str | list[str] = texts.parts[part][own]
    forms = [text] if isinstance(text, str) else text
    return {slot for form in forms for _, slot, _, _ in Formatter().parse(form) if slot}


def test_one_is_told_apart_from_many() -> None:
    assert TEXTS.count("units.lap", 1) == "1 lap"
    assert TEXTS.count("units.lap", 1200) == "1,200 laps"
