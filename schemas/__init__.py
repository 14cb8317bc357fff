"""The vocabulary: events, their envelope, the topics they travel on and the keys they are known by.

Nothing here does input or output. Every other room may import this one.
"""
