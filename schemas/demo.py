"""A run that shows how work goes here: steps, each told as it is done, and a wait for an event that may not come."""

from datetime import datetime

from schemas.base import Message, RowId, TenantId


class DemoOrder(Message):
    """`demo_id` is the row of the event that asked for it. `wait_s`: so long it waits before its last step."""

    tenant_id: TenantId
    demo_id: RowId
    steps: int
    wait_s: float = 0


class DemoStep(Message):
    tenant_id: TenantId
    demo_id: RowId
    step: int


class DemoEnding(Message):
    """`continued`: what it waited for has come."""

    tenant_id: TenantId
    demo_id: RowId
    steps: int
    continued: bool
    now: datetime


class DemoDone(Message):
    steps: int
    continued: bool = False
