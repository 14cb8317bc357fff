"""Whole months of a track: which days there are, and importing them one after another."""
