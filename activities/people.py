"""What stands for a person in ids: a keyed hash of their address, different in each tenant."""

import hashlib
import hmac
from collections.abc import Iterable

from activities.attendance import unplussed
from schemas.base import PersonKey, TenantId

SHORTEST_KEY = 32


class PersonKeys:
    """Hashes addresses. ValueError when the key is too short to keep a secret."""

    def __init__(self, key: str) -> None:
        if len(key) < SHORTEST_KEY:
            raise ValueError(f"GREENROOM_HASH_KEY must have at least {SHORTEST_KEY} characters")
        self._key = key.encode()

    def of(self, tenant_id: TenantId, text: str) -> PersonKey:
        return hmac.new(self._key, f"{tenant_id}\n{text}".encode(), hashlib.sha256).hexdigest()[:16]

    def all(self, tenant_id: TenantId, emails: Iterable[str]) -> dict[str, PersonKey]:
        """By address, and by the same without a +tag: whoever asked to be forgotten is known by that."""
        return {one: self.of(tenant_id, one) for email in emails for one in (email, unplussed(email))}
