"""Promises: what was said in a call that would be done."""

from datetime import date, datetime

from schemas.base import Content, RowId


class Promise(Content):
    """What somebody said in the last call that would be done, in their words. `at_ms` is None when no time was told."""

    id: RowId
    call_id: RowId
    text: str
    # Who is to do it, and until when.
    owner: str = ""
    due: date | None = None
    who: str
    quote: str
    at_ms: int | None = None
    # The call, and when it was.
    title: str
    held_at: datetime
