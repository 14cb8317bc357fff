"""Records that could not be applied: finding, mending and applying them again."""
