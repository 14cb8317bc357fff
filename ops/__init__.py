"""The capabilities: each a package of its own, on what they share."""
