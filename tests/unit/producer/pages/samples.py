"""Pages by hand, and shorthands for the sample site's: what the tests of this folder parse."""

import datetime as dt

from producer.pages import parse_day, parse_session
from sandbox.sample_site import cases
from sandbox.sample_site.model import SampleDay
from sandbox.sample_site.render import Spelling, render_day_list, render_session
from schemas.events import DayFacts, SessionFacts

SLUG = "demo"
DATE = dt.date(2025, 10, 25)
URL = "https://demo.example.org/practice/?p=session_list&d=2025-10-25"
SPELLINGS: tuple[Spelling, ...] = ("served", "saved")
SESSIONS = cases.case_sessions(SLUG, DATE)
DAY: SampleDay = cases.cases_day(SLUG, DATE)

ROW = (
    '<tr><td><a href="/practice/?p=view_session&id={id}">{driver}</a><br /><small>{kind}</small></td>'
    '<td><div class="hidden">{start}</div>4:36:38pm</td><td data-sort="{laps}">{laps}<br />{length}</td>'
    '<td data-sort="34.746">Fast: {fast}<br />Avg: 56.437</td></tr>'
)
HEAD = "<th>Driver<br />Class</th><th>Time</th><th>Laps <br />Length</th><th>Fast<br />Avg</th>"


def row(**fields: str) -> str:
    usual = {
        "id": "7",
        "driver": "Ann Example",
        "kind": "Open (4100000)",
        "start": "2025-10-25 16:36:38",
        "laps": "9",
        "length": "8:28",
        "fast": "34.746",
    }
    return ROW.format(**usual | fields)


def page(title: str, content: str, track: str = "Demo Club") -> bytes:
    return (
        f"<!doctype html><html><head><title>{title}</title></head><body>"
        f'<h1 class="page-header">{track}</h1>{content}</body></html>'
    ).encode(errors="surrogatepass")


def day_page(
    *rows: str, laps: str = "9", drivers: str = "1", classes: str = "1", chart: str = "", more: str = ""
) -> bytes:
    stats = (
        f"<table class=table><tbody><tr><th>Total Laps</th><td>{laps}</td></tr>"
        f"<tr><th>Unique Drivers</th><td>{drivers}</td></tr>"
        f"<tr><th>Unique Classes</th><td>{classes}</td></tr>"
        "<tr><th>Time Range</th><td>First Session: 4:36:38pm<br />Last Session: 4:36:38pm</td></tr>"
        f"<tr><th colspan=2><script>{chart}</script></th></tr></tbody></table>"
    )
    table = (
        f'<table class="practice_session_list"><thead><tr>{HEAD}</tr></thead><tfoot><tr>{HEAD}</tr></tfoot>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )
    return page(
        "Demo Club :: Practice Sessions on October 25, 2025 (Saturday) :: LiveRC", table + stats + more
    )


def session_page(
    script: str = "", spans: str = "", *, num_laps: str = "2", transponder: str = "4100000", **cells: str
) -> bytes:
    usual = {
        "Driver": "Ann Example",
        "Class": "Open",
        "Transponder": transponder,
        "Session Time": "Date: October 25, 2025 (Saturday)<br />Start: 2:43:27pm<br />End: 2:50:17pm"
        "<br />Length of Session: 3:49",
        "Num Laps": num_laps,
    }
    rows = "".join(f"<tr><th>{head}</th><td>{cell}</td></tr>" for head, cell in (usual | cells).items())
    return page(
        "Demo Club :: Practice Session for Ann Example on October 25, 2025 (Saturday) at 2:43:27pm :: LiveRC",
        f'<table class="table"><tbody>{rows}</tbody></table><div class="laps_list">{spans}</div>'
        f"<script>{script}</script>",
    )


def read_day(body: bytes, date: dt.date | None = DATE) -> DayFacts:
    return parse_day(body, url=URL, date=date)


def read_session(body: bytes, start: dt.datetime | None = None) -> SessionFacts:
    return parse_session(body, url=URL, session_id="7", date=DATE, start_time=start)


def case_page(name: str, spelling: Spelling = "served") -> bytes:
    return render_session(DAY, SESSIONS[name], spelling=spelling)


def cases_list(spelling: Spelling = "served") -> bytes:
    return render_day_list(DAY, spelling=spelling)


def codes(facts: DayFacts | SessionFacts) -> list[str]:
    return [finding.code for finding in facts.findings]
