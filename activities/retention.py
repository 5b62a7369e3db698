"""The effects of keeping: what is too old goes, tenant by tenant."""

from collections import Counter
from datetime import datetime
from typing import Protocol

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import errors
from activities.liveness import heartbeating
from schemas.base import TenantId
from schemas.erasures import Discarded, Outdated


class Store(Protocol):
    async def tenants(self) -> list[TenantId]: ...
    async def discard(self, tenant_id: TenantId, now: datetime) -> dict[str, int]: ...
    async def discard_paces(self, now: datetime) -> int: ...
    async def discard_bills(self, now: datetime) -> int: ...


class Ledger(Protocol):
    async def release_stale(self, tenant_id: TenantId, now: datetime) -> int: ...


class RetentionActivities:
    """Without a ledger there are no reservations to be released."""

    def __init__(self, store: Store, ledger: Ledger | None = None) -> None:
        self._store = store
        self._ledger = ledger

    @activity.defn(name="retention.sweep")
    async def sweep(self, outdated: Outdated) -> Discarded:
        """Safe to run twice: what is gone is not found again. A tenant whose rows refuse is left to the next try."""
        async with heartbeating():
            counts: Counter[str] = Counter()
            tenants, refused = await self._store.tenants(), 0
            for tenant_id in tenants:
                try:
                    counts += await self._discard(tenant_id, outdated.now)
                except ApplicationError:
                    activity.logger.warning("not all that is old is deleted", extra={"tenant": tenant_id})
                    refused += 1
            counts["paces"] += await self._store.discard_paces(outdated.now)
            counts["bills"] += await self._store.discard_bills(outdated.now)
            if refused:
                raise errors.unfinished(f"{refused} of {len(tenants)} tenants keep what is old")
            return Discarded(tenants=len(tenants), counts=dict(+counts))

    async def _discard(self, tenant_id: TenantId, now: datetime) -> Counter[str]:
        """Money first: it is given back whatever becomes of the rest."""
        total: Counter[str] = Counter()
        if self._ledger is not None:
            total["reservations"] += await self._ledger.release_stale(tenant_id, now)
        while batch := await self._store.discard(tenant_id, now):
            total.update(batch)
        return total
