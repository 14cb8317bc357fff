"""What keeps a copy of the event log from being made, read or brought back.

CopyError
├── FolderUnusable   the folder, or a file in it, can't be read or written
├── NoCopy           the folder holds no copy of the event log, or one of another format
├── Damaged          a file is not what the manifest says
├── OtherLog         the topics are not the log that the folder was taken from
├── TopicGone        a topic, or what is to be read of it, is not there
├── TargetDiffers    the topics to import into are not as they have to be
├── NotEmpty         the topics to import into hold other records
├── RecordRefused    the broker does not take a record
└── CannotTranslate  the offsets in the database can't be translated
"""

from schemas.errors import LapstreamError


class CopyError(LapstreamError):
    """A copy of the event log can't be made, read or brought back."""


class FolderUnusable(CopyError):
    """The folder, or a file in it, can't be read or written."""


class NoCopy(CopyError):
    """The folder holds no copy of the event log, or one of another format."""


class Damaged(CopyError):
    """A file is not what the manifest says."""


class OtherLog(CopyError):
    """The topics are not the log that the folder was taken from."""


class TopicGone(CopyError):
    """A topic, or what is to be read of it, is not there."""


class TargetDiffers(CopyError):
    """The topics to import into are not as they have to be."""


class NotEmpty(CopyError):
    """The topics to import into hold other records."""


class RecordRefused(CopyError):
    """The broker does not take a record, or not as it is."""


class CannotTranslate(CopyError):
    """The offsets in the database can't be translated."""
