"""The log: one line for one thing that happened, whatever a site or a producer wrote into it.

Each test logs in a process of its own, as a role does.
"""

import subprocess
import sys
from typing import Any

import msgspec

from runtime.logs import LONGEST_TEXT
from tests.spans import TRACE, TRACEPARENT

BEGIN = """
import logging, structlog
from runtime.logs import configure_logs
from telemetry import tracing
configure_logs()
log = structlog.get_logger()
"""


def lines(code: str) -> list[dict[str, Any]]:
    """What a process that does this logs."""
    done = subprocess.run([sys.executable, "-c", BEGIN + code], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    return [msgspec.json.decode(line) for line in done.stderr.splitlines()]


def test_hostile_text_is_escaped_and_bounded() -> None:
    error = "\x1b[2J\u202e\nlevel=info"
    [line] = lines(f"log.warning('found', error={error!r}, at=('a\\rb', 1), long='x' * 9_000)")
    assert line["error"] == "\\x1b[2J\\u202e\\nlevel=info"
    assert line["at"] == ["a\\rb", 1]
    assert line["long"] == "x" * LONGEST_TEXT + "… and 7000 more"


def test_what_a_line_says_in_numbers_stays_numbers() -> None:
    [line] = lines("log.info('found', laps=7, seconds=1.5, complete=True, url=None)")
    assert (line["laps"], line["seconds"], line["complete"], line["url"]) == (7, 1.5, True, None)


def test_a_line_of_a_span_names_its_trace() -> None:
    inside, outside = lines(
        f"with tracing.span('work', {TRACEPARENT!r}): log.info('inside')\nlog.info('outside')"
    )
    assert (inside["trace_id"], "trace_id" in outside) == (TRACE, False)


def test_a_traceback_keeps_its_lines_and_nothing_that_moves_a_cursor() -> None:
    [line] = lines("try: int('\\x1b]0;title\\x07')\nexcept ValueError: log.exception('work_failed')")
    found = line["exception"].splitlines()
    assert found[0].startswith("Traceback")
    assert found[-1].startswith("ValueError: invalid literal")
    assert line["exception"].replace("\n", "").isprintable()


def test_what_libraries_log_is_of_the_same_form() -> None:
    [line] = lines("logging.getLogger('library').error('broker said %s', '\\x1b[31mred')")
    assert (line["event"], line["logger"], line["level"]) == ("broker said \\x1b[31mred", "library", "error")


AGAIN = """
for number in range(1_000):
    log.warning('server_away', error='no answer')
    log.info('request_answered', status=200)
    logging.getLogger('library').error('accept() failed')
log.warning('server_away', error='another')
"""


def test_the_same_warning_is_logged_once_and_counted() -> None:
    found = lines(AGAIN)
    assert sum(line["event"] == "request_answered" for line in found) == 1_000
    warnings = [line for line in found if line["level"] != "info"]
    said = [(line["event"], line.get("error"), line.get("said"), line.get("times")) for line in warnings]
    assert said == [
        ("server_away", "no answer", None, None),
        ("accept() failed", None, None, None),
        ("server_away", "another", None, None),
        ("log_repeated", None, "server_away", 999),
        ("log_repeated", None, "accept() failed", 999),
    ]


def test_a_warning_that_goes_on_is_logged_again_after_a_while() -> None:
    found = lines("from runtime import repeats\nrepeats.REPEAT_SECONDS = -1\n" + "log.warning('away')\n" * 3)
    assert [line["event"] for line in found] == ["away"] * 3
