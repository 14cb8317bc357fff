"""The command line of Lapstream: commands, what they print, how they end.

`commands` has what can be typed; what the commands do is in modules beside it, imported when they run.
"""

from ops.cli.program import main as main
