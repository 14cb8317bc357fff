"""Records that could not be applied: finding, mending and applying them again.

They are parked by `store.parking`; here `redrive` applies them again.
"""
