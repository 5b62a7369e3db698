"""What doors for other applications have in common: the key that opens them, whom it may name, and refusals as JSON.

request ─▶ key ─▶ whose it is ─▶ the door ─▶ JSON, or {"error": sentence}
"""

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from temporalio.exceptions import ApplicationError

from activities.store.event_keys import LONGEST_KEY, KeyRow, digest
from activities.store.skill_asking import TooManyRunsError
from schemas.base import RowId, TenantId
from schemas.payloads import Payload
from starter.inbox import RefusedError, decode
from starter.web.parts import Parts
from starter.web.visits import is_row_id
from starter.web.webhooks import Remembered
from starter.words import NotFoundError, NotReadyError, SaidError

SOON = {"Retry-After": "5"}
KEY_ROW = web.RequestKey("run_key", KeyRow)

NO_KEY = RefusedError(401, "there is no such event key, or it was revoked")
NO_USER = RefusedError(404, "userId: there is no such user")
AWAY = "that cannot be done just now; try it again"
SENTENCES = {
    400: "that request could not be read",
    408: "that took too long to arrive",
    503: AWAY,
}


class Keyed:
    """Finds whose an event key is, and the user whom its holder names."""

    def __init__(self, parts: Parts) -> None:
        self._keys = parts.event_keys
        self._remembered = Remembered(parts.event_keys)
        self._users = parts.users

    async def welcome(self, request: web.Request, most: int) -> web.Request:
        """The request of a holder of a key, who may send more than others."""
        kind, _, key = request.headers.get("Authorization", "").partition(" ")
        known = kind.lower() == "bearer" and 0 < len(key) <= LONGEST_KEY
        row = await self._remembered.find(digest(key.strip())) if known else None
        if row is None:
            raise NO_KEY
        welcome = request.clone(client_max_size=most)
        welcome[KEY_ROW] = row
        return welcome

    async def tenant(self, request: web.Request) -> TenantId:
        """Whose key it is, if it has not been revoked since it was found."""
        key = request[KEY_ROW]
        if not await self._keys.holds(key.tenant_id, key.id):
            raise NO_KEY
        return key.tenant_id

    async def user(self, tenant_id: TenantId, said: str) -> RowId:
        """By our id or by their address."""
        named = said.strip().lower()
        if is_row_id(named):
            if await self._users.member(tenant_id, named) is None:
                raise NO_USER
            return named
        found = [user for of, user in await self._users.with_address(named) if of == tenant_id]
        if not found:
            raise NO_USER
        return found[0]


def sent(body: bytes, example: str) -> dict[str, Any]:
    """The object that was sent."""
    said = decode(body)
    if not isinstance(said, dict):
        raise RefusedError(400, f"the body must be a JSON object, such as {example}")
    return said


def own(payload: Payload, tenant_id: TenantId) -> None:
    if payload.tenant_id not in (None, tenant_id):
        raise RefusedError(403, "tenantId: the key is another tenant's")


def refused(error: RefusedError | TooManyRunsError | SaidError | web.HTTPException, most: int) -> web.Response:
    """`most` is how many bytes may be sent."""
    match error:
        case RefusedError():
            return answer(error.status, error.sentence)
        case TooManyRunsError():
            return answer(429, str(error), {"Retry-After": str(error.after_s)})
        case NotReadyError():
            return answer(503, error.sentence, SOON)
        case SaidError():
            # Remedies are commands, which are not for applications.
            return answer(404 if isinstance(error, NotFoundError) else 400, error.sentence)
        case web.HTTPException():
            large = {413: f"more than {most // 1024} KiB were sent"}
            return answer(error.status, (SENTENCES | large).get(error.status, error.reason))


def away() -> web.Response:
    return answer(503, AWAY, SOON)


def kind_of(error: Exception) -> str:
    """For the log: its words may quote somebody."""
    return error.type or "" if isinstance(error, ApplicationError) else type(error).__name__


def answer(status: int, sentence: str, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.json_response({"error": sentence}, status=status, headers=headers)
