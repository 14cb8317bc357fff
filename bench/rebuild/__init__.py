"""How fast a projection's tables are made anew from its topic and swapped, and what readers notice of it."""
