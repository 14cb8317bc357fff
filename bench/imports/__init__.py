"""How long an import takes, from the request to the closed run."""
