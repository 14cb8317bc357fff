"""Laps as racers look at them: found by names, with figures, leaderboards and comparisons."""
