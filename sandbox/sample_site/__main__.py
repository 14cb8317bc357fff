"""`python -m sandbox.sample_site`: the site in a process of its own.

In: options. Out: one line of JSON with the addresses on stdout, once pages can be had.
"""

import argparse
import sys

from sandbox.sample_site.process import addresses, run
from sandbox.sample_site.server import RunningSite


def main() -> None:
    """Read the options, and serve until the process is asked to stop."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.sample_site", description="Serve the sample site."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--seed", type=int, default=1, help="what the days are made from")
    parser.add_argument("--latency-ms", type=float, default=0.0, help="milliseconds before each page")
    options = parser.parse_args()
    try:
        run(
            host=options.host,
            port=options.port,
            seed=options.seed,
            latency_ms=options.latency_ms,
            announce=_announce,
        )
    except OSError as error:
        sys.exit(f"sample site: {options.host}:{options.port}: {error.strerror}")


def _announce(running: RunningSite) -> None:
    sys.stdout.write(addresses(running) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
