"""Whether an installation is well: what was found of its servers, roles and work, line by line."""
