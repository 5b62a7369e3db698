"""Bills: what a congress works on is loaded every so often, for whoever is interested in it."""

from schemas.base import Message


class BillSweep(Message):
    """Load what has changed since the last time."""


class BillsLoaded(Message):
    """How many were looked at, and how many of them are new or have changed."""

    seen: int = 0
    changed: int = 0
