"""`lapstream parse`: a page from a file, and what the parsers say of it."""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lapstream.cli.arguments import JsonFlag
from lapstream.cli.later import later

if TYPE_CHECKING:
    from lapstream.cli import parse as work
else:
    work = later("lapstream.cli.parse")

app = typer.Typer(
    help="Show what the parsers read in a saved page. Nothing is fetched and nothing is stored.",
    no_args_is_help=True,
)

PageFile = Annotated[Path, typer.Argument(help="The saved page; `-` reads standard input.", metavar="FILE")]
DateOption = Annotated[
    dt.datetime | None,
    typer.Option(
        "--date", formats=["%Y-%m-%d"], help="The day that the page must be of.", metavar="YYYY-MM-DD"
    ),
]
UrlOption = Annotated[
    str | None,
    typer.Option("--url", help="The page's address, which links are built on; the file's otherwise."),
]
IdOption = Annotated[
    str | None, typer.Option("--session-id", help="The session's id; taken from `id=` in --url otherwise.")
]
MonthOption = Annotated[
    str | None, typer.Option("--month", help="The month that the page must be of.", metavar="YYYY-MM")
]


@app.command()
def day(file: PageFile, *, date: DateOption = None, url: UrlOption = None, as_json: JsonFlag = False) -> None:
    """Read a day list.

    Example: lapstream parse day saved.html --date 2025-10-25
    """
    work.day(file, date and date.date(), url, as_json=as_json)


@app.command()
def session(
    file: PageFile,
    *,
    session_id: IdOption = None,
    date: DateOption = None,
    url: UrlOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Read a session's page.

    Example: lapstream parse session saved.html --session-id 21290331 --json
    """
    work.session(file, session_id, date and date.date(), url, as_json=as_json)


@app.command()
def month(
    file: PageFile, *, month: MonthOption = None, url: UrlOption = None, as_json: JsonFlag = False
) -> None:
    """Read a month view.

    Example: lapstream parse month saved.html --month 2025-10
    """
    work.month(file, month, url, as_json=as_json)
