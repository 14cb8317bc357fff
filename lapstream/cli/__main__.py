"""`python -m lapstream.cli`: the command line, for a process that starts another one of itself."""

from lapstream.cli import main

main()
