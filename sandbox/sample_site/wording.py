"""How the site words dates, clocks and times.

In: values. Out: text as the real site writes it, whatever the machine's locale.
"""

import datetime as dt

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def long_date(date: dt.date) -> str:
    """`October 25, 2025 (Saturday)`."""
    return f"{_MONTHS[date.month - 1]} {date.day}, {date.year} ({_WEEKDAYS[date.weekday()]})"


def short_date(date: dt.date) -> str:
    """`Sat, Oct 25, 2025`."""
    return f"{_WEEKDAYS[date.weekday()][:3]}, {_MONTHS[date.month - 1][:3]} {date.day}, {date.year}"


def long_month(year: int, month: int) -> str:
    """`October 2025`."""
    return f"{_MONTHS[month - 1]} {year}"


def clock(moment: dt.datetime) -> str:
    """`4:36:38pm`."""
    half = "am" if moment.hour < 12 else "pm"
    return f"{moment.hour % 12 or 12}:{moment.minute:02}:{moment.second:02}{half}"


def length(millis: int) -> str:
    """`55`, `8:28` or `1:02:03`: whole seconds, rounded."""
    minutes, seconds = divmod((millis + 500) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02}:{seconds:02}"
    return f"{minutes}:{seconds:02}" if minutes else str(seconds)


def spelled_out(seconds: int) -> str:
    """`7 hours, 16 minutes, 45 seconds`; units that are zero before the first other are left out."""
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    units = [(hours, "hour"), (minutes, "minute"), (seconds, "second")]
    while len(units) > 1 and not units[0][0]:
        units.pop(0)
    return ", ".join(f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in units)


def plain_time(millis: float) -> str:
    """`70.123`."""
    return f"{millis / 1000:.3f}"


def clock_time(millis: float) -> str:
    """`42.996`, and `1:10.123` from a minute on."""
    minutes, rest = divmod(round(millis), 60_000)
    return f"{minutes}:{rest / 1000:06.3f}" if minutes else plain_time(rest)


def valid_range(low: int, high: int) -> str:
    """`20 to 1:10`, of whole seconds."""
    return f"{length(low * 1000)} to {length(high * 1000)}"
