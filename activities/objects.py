"""The effect of keeping files: those that no row needs any more are deleted from their store, and then forgotten."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import errors
from activities.liveness import heartbeating
from activities.ports import Objects
from schemas.base import TenantId
from schemas.erasures import Discarded, Outdated


class Store(Protocol):
    async def tenants(self) -> list[TenantId]: ...
    async def unneeded(self, tenant_id: TenantId, now: datetime) -> list[str]: ...
    async def deleted(self, tenant_id: TenantId, keys: Sequence[str]) -> int: ...


class ObjectActivities:
    """Without a place where files are kept none is deleted, and what is to be deleted stays written down."""

    def __init__(self, store: Store, objects: Objects | None) -> None:
        self._store = store
        self._objects = objects

    @activity.defn(name="objects.sweep")
    async def sweep(self, outdated: Outdated) -> Discarded:
        """Safe to run twice: what is gone is deleted. A tenant whose files are refused does not keep others' there."""
        async with heartbeating():
            if self._objects is None:
                return Discarded()
            tenants = await self._store.tenants()
            counts = [await self._of(self._objects, tenant_id, outdated.now) for tenant_id in tenants]
            if None in counts:
                raise errors.unfinished(f"{counts.count(None)} of {len(tenants)} tenants have files that nothing needs")
            deleted = sum(filter(None, counts))
            return Discarded(tenants=len(tenants), counts={"files": deleted} if deleted else {})

    async def _of(self, objects: Objects, tenant_id: TenantId, now: datetime) -> int | None:
        """How many; None when not all are gone."""
        count = 0
        try:
            while keys := await self._store.unneeded(tenant_id, now):
                await objects.delete(keys)
                count += await self._store.deleted(tenant_id, keys)
        except ApplicationError:
            activity.logger.warning("not all files that nothing needs are deleted", extra={"tenant": tenant_id})
            return None
        return count
