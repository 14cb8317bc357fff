"""Making a projection's tables anew beside the live ones: replayed, compared, exchanged, and taken back."""
