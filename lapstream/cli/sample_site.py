"""The project's own timing site, to try everything without the real one.

In: a port, a seed, a latency. Out: the site's addresses on stdout; runs until Ctrl-C or SIGTERM.
"""

import sys

from lapstream.cli import output
from sandbox.sample_site.process import addresses, run
from sandbox.sample_site.server import RunningSite
from schemas.errors import LapstreamError
from store.faults import said_by

_HOST = "127.0.0.1"


class SampleSiteError(LapstreamError):
    """The sample site can't be served: the port is taken."""


def serve(port: int, seed: int, latency_ms: float, *, as_json: bool) -> None:
    """Serve an invented timing site until Ctrl-C or SIGTERM."""

    def announce(running: RunningSite) -> None:
        if as_json:
            sys.stdout.write(addresses(running) + "\n")
            sys.stdout.flush()
        else:
            _show(running)

    try:
        run(host=_HOST, port=port, seed=seed, latency_ms=latency_ms, announce=announce)
    except OSError as error:
        raise SampleSiteError(
            f"can't serve the sample site at {_HOST}:{port}: {said_by(error)}; --port 0 takes a free port"
        ) from error


def _show(running: RunningSite) -> None:
    output.out.print(f"site template  {running.site_template}", soft_wrap=True)
    output.out.print(f"controls       {running.control_url}", soft_wrap=True)
    output.err.print("Ctrl-C stops the site.")
