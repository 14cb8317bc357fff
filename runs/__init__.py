"""The life of a run, which is one import of a day: its row, what changes it, and who watches it."""
