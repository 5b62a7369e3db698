"""Where a digest's audio is kept. The same pieces have the same key, whoever asks and how often."""

import hashlib
from collections.abc import Sequence

from schemas.base import RowId, TenantId


def piece(tenant_id: TenantId, digest_id: RowId, hash: str) -> str:  # noqa: A002 - what it is
    """One piece, by what is said in it."""
    return f"{tenant_id}/digests/{digest_id}/pieces/{hash}.mp3"


def whole(tenant_id: TenantId, digest_id: RowId, hashes: Sequence[str]) -> str:
    """All of them, joined."""
    joined = hashlib.sha256("/".join(hashes).encode()).hexdigest()
    return f"{tenant_id}/digests/{digest_id}/{joined}.mp3"
