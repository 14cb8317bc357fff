"""What a terminal would obey is escaped: in texts, and in JSON, which means the same as before."""

import json
import unicodedata

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapstream.cli.output import print_json
from schemas.terminal import clean, clean_json

CODES = (*range(32), *range(0x7F, 0xA0), 0xAD, 0x61C, *range(0x200B, 0x2010), *range(0x2028, 0x202F))
OBEYED = [*map(chr, (*CODES, *range(0x2060, 0x2070), 0xFEFF, 0xE0001, 0xE007F))]


@given(st.text() | st.text(st.sampled_from(OBEYED)))
def test_json_means_the_same_and_moves_no_cursor(text: str) -> None:
    data = clean_json(msgspec.json.encode({text: [text]}))
    assert json.loads(data) == {text: [text]}
    assert not set(data.decode()) & set(OBEYED)


@given(st.text() | st.text(st.sampled_from(OBEYED)))
def test_a_text_for_people_holds_what_can_be_printed(text: str) -> None:
    assert clean(text).isprintable()


def test_every_character_that_turns_the_direction_is_one_of_them() -> None:
    turns = {"RLE", "LRE", "RLO", "LRO", "PDF", "RLI", "LRI", "FSI", "PDI"}
    every = {chr(code) for code in range(0x110000) if unicodedata.bidirectional(chr(code)) in turns}
    assert every <= set(OBEYED)


def test_names_stay_names() -> None:
    text = "Jürgen 🏁 Łukasz 日本 عمر"
    assert clean_json(msgspec.json.encode(text)).decode() == f'"{text}"'


def test_what_is_printed_as_json_is_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"driver_name": "\u202eevil\x9b31m\x7f"})
    assert capsys.readouterr().out == '{\n  "driver_name": "\\u202eevil\\u009b31m\\u007f"\n}\n'
