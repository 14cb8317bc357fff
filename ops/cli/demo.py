"""`lapstream demo`: one practice day through the real thing, without anything installed beside it."""

from typing import Any

from ops import demo as the_demo
from ops.cli.arguments import run
from ops.cli.imports import import_day, read_day, show_sessions, show_summary
from ops.cli.output import JsonFlag, err, out, print_json
from ops.demo import DATE, TRACK, Outcome
from ops.settings import Settings
from schemas.errors import LapstreamError


class ExtraMissing(LapstreamError):
    """The embedded broker and database are not installed."""


def demo(*, as_json: JsonFlag = False) -> None:
    """Import a sample day of 56 sessions, twice, on an embedded Kafka and PostgreSQL; then stop them.

    Data and logs are kept in .lapstream/ (or LAPSTREAM_HOME).

    Example: lapstream demo
    """
    try:
        from embedded import stack  # noqa: PLC0415 - an extra, which only this command and `dev` need
    except ImportError as error:
        raise ExtraMissing(f"{error}: install the extra with `pip install 'lapstream[embedded]'`") from error
    home = stack.default_home()
    with stack.running(home, report=_report) as servers:
        logs = home / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        run(_demo(as_json=as_json, bootstrap=servers.kafka_bootstrap, dsn=servers.postgres_dsn, logs=logs))


def _report(line: str) -> None:
    err.print(line)


async def _demo(*, as_json: bool, **places: Any) -> None:  # noqa: ANN401 - as `run_demo` takes them
    settings, outcome = await the_demo.run_demo(**places, report=_report, import_day=import_day)
    if as_json:
        print_json(outcome)
    else:
        await _show(settings, outcome)


async def _show(settings: Settings, outcome: Outcome) -> None:
    show_sessions(await read_day(settings, TRACK, DATE))
    show_summary(outcome.first)
    out.print(
        f"imported again in {outcome.second.duration_seconds:.1f} s: "
        "no row that people read has changed (`lapstream digest`)"
    )
