"""`python -m bench.pages [--json]`: prints the pages a second of both parsers, and the ratio.

The pages are the sample site's: a day list of 56 rows and a session of 9 laps, each with the whole page
around it, in both spellings. Both parsers must give equal facts before a clock is started. They are timed
in turn, pair by pair, so that a busy machine slows both; the medians are compared.
"""

import argparse
import datetime as dt
import gc
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial

from bench.pages import soup
from producer.pages import parse_day, parse_session
from sandbox.sample_site.generate import real_shape_day
from sandbox.sample_site.render import Spelling, render_day_list, render_session

PAIRS = 30
THEIRS_PER_PAIR, OURS_PER_PAIR = 3, 75
"""Pages in a row of each parser, so that both are timed for about as long, and warm."""

URL = "https://demo.example.org/practice/?p=session_list&d=2025-10-25"
GOALS = {"day list": 20.0, "session": 30.0}


@dataclass
class Result:
    """Pages a second of each parser, and the ratio of the medians."""

    page: str
    spelling: str
    size_bytes: int
    lexbor_pages_per_second: float
    beautifulsoup_pages_per_second: float
    ratio: float
    goal: float


def main() -> None:
    """Measure, and print a table or JSON."""
    options = argparse.ArgumentParser(prog="python -m bench.pages", description=__doc__)
    options.add_argument("--json", action="store_true", help="print JSON only")
    as_json = options.parse_args().json
    results = [measure(kind, spelling) for kind in GOALS for spelling in ("served", "saved")]
    if as_json:
        print(json.dumps([asdict(result) for result in results], indent=2))
        return
    print(f"{'page':10}{'spelling':10}{'bytes':>8}{'lexbor/s':>10}{'soup/s':>8}{'ratio':>8}{'goal':>6}")
    for each in results:
        print(
            f"{each.page:10}{each.spelling:10}{each.size_bytes:8}{each.lexbor_pages_per_second:10.0f}"
            f"{each.beautifulsoup_pages_per_second:8.1f}{each.ratio:8.1f}{each.goal:6.0f}"
        )


def measure(kind: str, spelling: Spelling) -> Result:
    """One kind of page in one spelling."""
    body, ours, theirs = _contestants(kind, spelling)
    assert ours() == theirs(), "the two parsers disagree: nothing to compare"
    ours_seconds, theirs_seconds = _medians(ours, theirs)
    return Result(
        kind,
        spelling,
        len(body),
        1 / ours_seconds,
        1 / theirs_seconds,
        theirs_seconds / ours_seconds,
        GOALS[kind],
    )


def _contestants(kind: str, spelling: Spelling) -> tuple[bytes, Callable[[], object], Callable[[], object]]:
    day = real_shape_day("demo", dt.date(2025, 10, 25))
    if kind == "day list":
        body = render_day_list(day, spelling=spelling)
        return body, partial(parse_day, body, url=URL), partial(soup.parse_day, body, URL)
    session = min(day.sessions, key=lambda each: abs(len(each.laps) - 9))
    body = render_session(day, session, spelling=spelling)
    own = session.session_id
    return (
        body,
        partial(parse_session, body, url=URL, session_id=own),
        partial(soup.parse_session, body, URL, own),
    )


def _medians(ours: Callable[[], object], theirs: Callable[[], object]) -> tuple[float, float]:
    """Seconds a page; the collector of garbage works as it does in any program, for both."""
    pairs = [(_seconds(ours, OURS_PER_PAIR), _seconds(theirs, THEIRS_PER_PAIR)) for _ in range(PAIRS)]
    return statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] for pair in pairs)


def _seconds(parse: Callable[[], object], times: int) -> float:
    gc.collect()
    started = time.perf_counter()
    for _ in range(times):
        parse()
    return (time.perf_counter() - started) / times


if __name__ == "__main__":
    main()
