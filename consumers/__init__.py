"""From topics to tables: decode, project, apply, in one transaction with the group's position."""
