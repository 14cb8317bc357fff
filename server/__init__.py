"""What answers over HTTP: the API and the pages, one application, served by the role `api`.

`http` is what all answers share: callers and keys, refusals, connections. `api` and `web` stand on it, `app`
puts them together, and `listening` serves them until it is told to stop.
"""
