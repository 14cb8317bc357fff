"""Access control lists of the broker: what each role and each foreign producer needs, as commands."""
