"""Tell a user something: a notice of its own, which outlives whoever asked for it."""

from workflows.notices import notify

__all__ = ["notify"]
