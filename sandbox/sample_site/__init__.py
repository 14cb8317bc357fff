"""A timing site of the project's own, so that nothing needs the real one to be tried, tested or measured.

In: a track, a date and a seed. Out: practice pages that look like the real site's, over HTTP, with faults
on demand. It imports nothing of the project's other packages, so that a mistake of the parsers can't hide in
the pages that they are tested with.

generate, cases   invent days                      site, edits      hold them, and change them
render, notpages  turn them into bytes             server, control  serve them, with faults, and count
"""
