"""Importing one day: asking for it, and following its run until it ends."""
