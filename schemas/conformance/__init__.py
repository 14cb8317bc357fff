"""Golden vectors: records, each with the verdict that every reader of the events must come to."""
