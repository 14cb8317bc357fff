"""The sample site's pages, held against the structure of the real site's.

`structure_*.txt` are outlines of real pages, taken once. Where the variables below name saved pages, they
are held against the outlines, too, and must be read without a finding.
"""

import datetime as dt
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from producer.pages import parse_day, parse_month
from sandbox.sample_site import render
from sandbox.sample_site.generate import real_shape_day
from sandbox.sample_site.render import Spelling
from tests.unit.sandbox.sample_site.structure import outline

DATE = dt.date(2025, 10, 25)
URL = "https://demo.example.org/practice/"
REAL = {"day": "LAPSTREAM_TEST_REAL_DAY", "month": "LAPSTREAM_TEST_REAL_MONTH"}
PARSERS = {"day": parse_day, "month": parse_month}


def day_list(spelling: Spelling) -> bytes:
    return render.render_day_list(real_shape_day("demo", DATE), spelling=spelling)


def month(spelling: Spelling) -> bytes:
    return render.render_month("demo", "2025-10", {DATE: 56}, ["2025-11", "2025-10"], spelling=spelling)


PAGES: dict[str, Callable[[Spelling], bytes]] = {"day": day_list, "month": month}


def real_outline(kind: str) -> list[str]:
    return Path(__file__).with_name(f"structure_{kind}.txt").read_text("utf-8").splitlines()


@pytest.mark.parametrize("spelling", ["served", "saved"])
@pytest.mark.parametrize("kind", PAGES)
def test_the_sample_sites_page_has_the_real_ones_structure(kind: str, spelling: Spelling) -> None:
    assert outline(PAGES[kind](spelling)) == real_outline(kind)


@pytest.mark.parametrize("kind", PAGES)
def test_a_real_page_has_the_structure_on_file_and_is_read(kind: str) -> None:
    path = os.environ.get(REAL[kind])
    if path is None:
        pytest.skip(f"{REAL[kind]} names no saved page")
    page = Path(path).read_bytes()
    assert outline(page) == real_outline(kind)
    assert PARSERS[kind](page, url=URL).findings == ()
