"""`python -m ops.cli`: the command line, for a process that starts another one of itself."""

from ops.cli import main

main()
