"""Parsing again: the present parsers over archived pages, without one request to the site."""
