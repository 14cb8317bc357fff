"""The database's schema as a chain of plain SQL files, each with its way forward and its way back."""
