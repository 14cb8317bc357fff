"""From the timing site to events: polite fetching, parsing, planning, publishing."""
