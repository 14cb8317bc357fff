"""What can be typed: every command with its arguments and its help, and nothing of its work.

A command's work is in a module that its own one names with `later`, and which is imported when the command
runs: `--help` and completion need none of what commands work with.
"""
