"""How fast the projection of practice days is, from records in the topic to committed rows."""
