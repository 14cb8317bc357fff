"""Runs the commands on the pages of the documents, and writes what they print beside them."""
