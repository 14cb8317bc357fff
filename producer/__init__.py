"""From the timing site to events: fetching with manners, parsing, planning, publishing."""
