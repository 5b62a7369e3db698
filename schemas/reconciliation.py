"""Reconciliation: rows that say that they are being worked on, and the workflows that should be at it. Ids and counts
travel."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from schemas.base import Message, TenantId

# Rows that a report names; the others it counts.
MOST_NAMED = 200


class Life(StrEnum):
    """How a workflow stands, by its id: the newest run counts. GONE: the server knows of none."""

    LIVE = "live"
    GONE = "gone"
    TERMINATED = "terminated"
    TIMED_OUT = "timed_out"
    FAILED = "failed"
    CANCELLED = "cancelled"
    COMPLETED = "completed"


class Done(StrEnum):
    """What was done about a row that was stuck."""

    FAILED = "failed"
    # It had ended well, and says so again.
    RIGHTED = "set right"
    BEGUN = "begun again"
    # It could not be mended: the next sweep tries again.
    LEFT = "left"
    # A run goes on whose row says that it has ended: what it writes is refused, so it ends by itself.
    TOLD = "told"


class Reconcile(Message):
    """Compare every row that is being worked on with its workflow, of all tenants."""


class Comparing(Message):
    """One sweep. What was begun or changed after `before` is too young to be judged."""

    now: datetime
    before: datetime
    # What was asked for before this has been begun, or nobody will.
    asked_before: datetime
    # A meeting that starts before this has somebody who looks after it.
    soon: datetime


class Stuck(Message):
    """A row that was stuck: what was done about it, and why."""

    noun: str
    tenant_id: TenantId
    row_id: str
    done: Done
    why: str


class Reconciled(Message):
    """How a sweep went: by noun, how many rows were looked at and how many of them were stuck; the first of those."""

    looked_at: dict[str, int] = Field(default_factory=dict)
    stuck: dict[str, int] = Field(default_factory=dict)
    # How many of the stuck are so still.
    left: int = 0
    rows: tuple[Stuck, ...] = ()


class Place(Message):
    """Where a sweep is, for the try that goes on with it: beyond this row of this noun."""

    noun: str = ""
    tenant_id: str | None = None
    row_id: str | None = None
    report: Reconciled = Field(default_factory=Reconciled)
