"""Settings, wiring and the command line: where the other rooms are put together."""
