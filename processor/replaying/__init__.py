"""Replays against what is at the destination now: would a letter overwrite what somebody else has changed?

reading     what is there of some writes, by the cheapest request that the connector has
comparing   what differs from a write, and what of that is somebody else's
undisputed  the slice's guard: decided again when a letter is applied, not only in a preview
"""
