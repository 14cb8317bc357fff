"""The pages that people look at, served by the API's own process.

A page is a handler that reads, a view that says what the page holds, and a template that lays it out. What
every page says is in `texts`, how figures and times are written in `formats`, what all have in `pages`.
"""
