"""Copies of the record: the topics that are kept for ever, in a folder of files, and back into a cluster.

In: topics, or a folder. Out: a folder (`ops.logcopy.exporting`), topics (`ops.logcopy.importing`), what
differs (`ops.logcopy.checking`), and places in the database that speak of the new log
(`ops.logcopy.carrying`). docs/log-copies.md describes the folder's format.
"""
