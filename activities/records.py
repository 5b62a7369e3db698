"""The effects batches need: insert what has been collected, and put aside what cannot be.

ids ─▶ insert, all or none ─▶ done
                         └──▶ spoilt: the batch is split; alone it is parked
"""

from datetime import datetime
from typing import Protocol

from temporalio import activity

from schemas.base import RowId, TenantId
from schemas.batches import Inserted, Insertion


class SpoiltError(Exception):
    """One of the rows cannot be inserted, and so none was. `reason` is our own words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Store(Protocol):
    """Received events that wait, and the records that they become."""

    async def insert(self, tenant_id: TenantId, ids: tuple[RowId, ...], now: datetime) -> int:
        """How many it made records of: all, or SpoiltError."""
        ...

    async def park(self, tenant_id: TenantId, received_id: RowId, reason: str, now: datetime) -> int: ...


class RecordActivities:
    def __init__(self, store: Store) -> None:
        self._store = store

    @activity.defn(name="records.insert")
    async def insert(self, insertion: Insertion) -> Inserted:
        """Safe to run twice: what is done or parked stays so, and tells it once."""
        tenant_id, ids, now = insertion.tenant_id, insertion.ids, insertion.now
        try:
            return Inserted(count=await self._store.insert(tenant_id, ids, now))
        except SpoiltError as error:
            if len(ids) > 1:
                return Inserted(spoilt=True)
            return Inserted(parked=await self._store.park(tenant_id, ids[0], error.reason, now), spoilt=True)
