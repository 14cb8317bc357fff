"""The command line, `lapstream`: one module for each subject, put together in `ops.cli.main`."""

from ops.cli.main import main

__all__ = ["main"]
