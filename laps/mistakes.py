"""Which laps of a session went wrong: much slower than the driver's usual lap.

The rule is the modified z-score of Iglewicz and Hoaglin (How to Detect and Handle Outliers, 1993), which the
NIST/SEMATECH e-Handbook of Statistical Methods recommends (1.3.5.17): how far a lap is from the median,
measured by the median of all such distances (MAD). Unlike average and deviation, neither of the two is moved
by the laps that went wrong. A lap is a mistake where its score is above 3.5, as they recommend, and where it
is also 5 % slower than the median, for who drives like a clockwork has a MAD of hundredths. A lap that is
faster than usual is none. Fewer than five laps have no usual one.
"""

import statistics
from collections.abc import Mapping

FEWEST_LAPS = 5
HIGHEST_SCORE = 3.5
SLOWER_BY = 0.05
_NORMAL = 0.6745
"""The MAD of a normal distribution of deviation 1, which makes the score one of standard deviations."""


def mistakes_among(times: Mapping[int, float]) -> tuple[int, ...]:
    """The numbers of the laps that are mistakes, of the laps that count by their numbers."""
    if len(times) < FEWEST_LAPS:
        return ()
    median = statistics.median(times.values())
    spread = statistics.median(abs(time - median) for time in times.values())
    slowest = median + max(HIGHEST_SCORE * spread / _NORMAL, SLOWER_BY * median)
    return tuple(number for number, time in times.items() if time > slowest)
