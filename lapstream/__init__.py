"""What people and programs meet: the command line, the API, and the roles that do the work."""
