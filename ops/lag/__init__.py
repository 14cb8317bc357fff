"""How far consumer groups are behind their topics."""
