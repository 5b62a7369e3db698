"""Work on documents that is followed: how far it is, as server-sent events, until it has ended.

row ─▶ how it stands ─▶ progress, when that is news ─▶ done
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import structlog
from aiohttp import web
from temporalio.exceptions import ApplicationError

from schemas.base import RowId, TenantId
from schemas.documentbook import RunView
from schemas.documents import ENDED, RunStatus
from starter.web.keyed import kind_of
from starter.web.ports import Documents
from starter.web.watching import KIND, SOON_MS, Stream

log = structlog.get_logger("web")

BETWEEN_S, WAITING_S, AWAY_S = 0.5, 1.0, 2.0
# So that whoever is gone is noticed, and whoever stands between lets go of nothing.
QUIET_S = 10.0
# Then they come again, and are asked again who they are.
LONGEST_S = 300.0
# Of all, and of one tenant so that it keeps no other out.
MOST_LISTENERS, MOST_OF_TENANT = 200, 50


class Following:
    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._listening: Counter[TenantId] = Counter()
        self._closing = asyncio.Event()

    def full(self, tenant_id: TenantId) -> bool:
        return self._listening.total() >= MOST_LISTENERS or self._listening[tenant_id] >= MOST_OF_TENANT

    def answer(self, tenant_id: TenantId, run_id: RowId) -> web.Response:
        """To somebody who may see this run."""
        # Without the last a proxy of a usual kind keeps events until there are many.
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        body = Stream(self._events(tenant_id, run_id))
        return web.Response(body=body, content_type=KIND, charset="utf-8", headers=headers)

    async def close(self, _app: web.Application) -> None:
        """We are about to stop: nobody is kept listening."""
        self._closing.set()

    async def _events(self, tenant_id: TenantId, run_id: RowId) -> AsyncIterator[bytes]:
        yield f"retry: {SOON_MS}\n\n".encode()
        if self.full(tenant_id):
            return
        self._listening[tenant_id] += 1
        try:
            async for event in self._told(tenant_id, run_id):
                yield event
        finally:
            self._listening[tenant_id] -= 1

    async def _told(self, tenant_id: TenantId, run_id: RowId) -> AsyncIterator[bytes]:
        now = asyncio.get_running_loop().time
        until, spoke, last = now() + LONGEST_S, now(), ""
        while now() < until and not self._closing.is_set():
            try:
                found = await self._documents.run_view(tenant_id, None, run_id)
            except (ApplicationError, TimeoutError, OSError) as error:
                # Rows that are away for a while are no end.
                log.warning("run not read", error=kind_of(error))
                await self._rest(AWAY_S)
                continue
            if found is None or found.status in ENDED:
                yield _event("done", standing(found) if found else {"runId": run_id, "status": None})
                return
            if (said := json.dumps(standing(found))) != last:
                last, spoke = said, now()
                yield _event("progress", standing(found))
            elif now() - spoke >= QUIET_S:
                spoke = now()
                yield b": still here\n\n"
            await self._rest(WAITING_S if found.status is RunStatus.QUEUED else BETWEEN_S)

    async def _rest(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._closing.wait(), seconds)
        except TimeoutError:
            return


def standing(found: RunView) -> dict[str, Any]:
    """How far a run is, as its events say it."""
    return {
        "runId": found.id,
        "status": found.status.value,
        "step": found.step,
        "percent": found.percent,
        "message": found.message,
    }


def _event(name: str, told: dict[str, Any]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(told)}\n\n".encode()
