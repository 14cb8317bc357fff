"""Where a row comes from: which events set it, from which pages, by which producer and parser.

`keys` reads what a row is called, `rows` and `sessions` find it with the observations behind it, `setters`
says which of them sets which column, `search` finds their records in the log, `explain` makes the answer.
"""
