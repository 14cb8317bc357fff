"""The kit for other systems: events checked, published, followed, and the vectors for readers of theirs."""
