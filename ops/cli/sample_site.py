"""`lapstream sample-site`: the project's own timing site, to try everything without the real one.

In: a port, a seed, a latency. Out: the site's addresses on stdout; runs until Ctrl-C or SIGTERM.
"""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ops.cli import output
from schemas.errors import LapstreamError

if TYPE_CHECKING:
    from sample_site.server import RunningSite

_HOST = "127.0.0.1"

Port = Annotated[int, typer.Option(min=0, max=65535, help="Port on this machine; 0 takes a free one.")]
Seed = Annotated[int, typer.Option(help="The same seed invents the same days.")]
Latency = Annotated[float, typer.Option(min=0, max=600_000, help="Milliseconds before each page.")]


class SampleSiteError(LapstreamError):
    """The sample site can't be served: its server is not installed, or the port is taken."""


def sample_site(
    port: Port = 0, seed: Seed = 1, latency_ms: Latency = 0.0, *, json: output.JsonFlag = False
) -> None:
    """Serve an invented timing site on this machine, with practice on every day of every track.

    Its pages look like the real site's. Give the printed site template to an import in place of the real
    address. Faults and corrections are set under the printed control address.

    Example: [bold]lapstream sample-site --port 8090 --latency-ms 100[/bold]
    """
    try:
        from sample_site.process import addresses, run  # noqa: PLC0415 - needs aiohttp, which is an extra
    except ModuleNotFoundError as error:
        raise SampleSiteError(f"no module {error.name}; install the extra: lapstream[embedded]") from error

    def announce(running: "RunningSite") -> None:
        if json:
            sys.stdout.write(addresses(running) + "\n")
            sys.stdout.flush()
        else:
            _show(running)

    try:
        run(host=_HOST, port=port, seed=seed, latency_ms=latency_ms, announce=announce)
    except OSError as error:
        raise SampleSiteError(
            f"can't serve the sample site: {error.strerror}; --port 0 takes a free port"
        ) from error


def _show(running: "RunningSite") -> None:
    output.out.print(f"site template  {running.site_template}", soft_wrap=True)
    output.out.print(f"controls       {running.control_url}", soft_wrap=True)
    output.err.print("Ctrl-C stops the site.")
