"""Copies of the event log: the topics that are kept for ever, in a folder of files, and back into a cluster.

In: topics, or a folder. Out: a folder (`ops.log_copies.exporting`), topics (`ops.log_copies.importing`), what
differs (`ops.log_copies.checking`), and places in the database that speak of the new log
(`ops.log_copies.translating`). docs/log-copies.md describes the folder's format.
"""
