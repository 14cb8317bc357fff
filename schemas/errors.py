"""The errors that a user may meet.

LapstreamError          what was found, where, and what to do; its message is shown as it stands
├── PageError           a page is not the one that was asked for           (producer.pages)
├── FetchError          the site gave no page                              (producer)
├── StackError          the embedded broker or database does not run       (embedded)
├── SettingsError       a setting is wrong                                 (ops)
└── others, each beside the code that raises it
"""


class LapstreamError(Exception):
    """What a command shows as `error: …` before it exits with `exit_code`; never with a traceback."""

    exit_code = 1
