"""What Temporal keeps of our runs is encrypted before it leaves us, and opened when it comes back.

value ─▶ JSON ─▶ Codec: sealed for its tenant, by the workflow it belongs to ─▶ Temporal ─▶ Codec ─▶ value

Inputs, results, failures, summaries, details and memos. Not ids, types and search attributes: those tell nothing.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Self

from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import (
    ActivitySerializationContext,
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)

from activities.sealing import Sealed, Sealer, SealError
from schemas.settings import Settings

PAYLOAD_KEYS = "GREENROOM_PAYLOAD_KEYS"

# In a payload's metadata, which anybody can read: that it is encrypted, with which key, and whose it is.
ENCODING, KEY_ID, TENANT = "encoding", "key-id", "tenant"
ENCRYPTED = b"binary/encrypted"

# `noun/tenant/key`; the sweeps, which are of no tenant, have ids without a stroke.
_OF_A_TENANT = re.compile(r"[a-z-]+/([^/]+)/.")


class Codec(PayloadCodec, WithSerializationContext):
    """Seals with the first key and opens with every key. What was never sealed passes: it is from before.

    A payload says whose it is, and opens as nobody else's. Raises SealError for one that does not open: a task of a
    workflow is then tried until it does, and the workflow stays.
    """

    def __init__(self, sealer: Sealer, *, seals: bool = True, tenant: str = "") -> None:
        self._sealer = sealer
        self._seals = seals
        self._tenant = tenant

    def with_context(self, context: SerializationContext) -> Self:
        """For what belongs to one workflow, the parts of its activities included."""
        if not isinstance(context, WorkflowSerializationContext | ActivitySerializationContext):
            return self
        tenant = tenant_of(context.workflow_id or "")
        return self if tenant == self._tenant else type(self)(self._sealer, seals=self._seals, tenant=tenant)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self._seal(payload) for payload in payloads] if self._seals else list(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self.open(payload) if is_sealed(payload) else payload for payload in payloads]

    def open(self, payload: Payload) -> Payload:
        """What was sealed, for the tenant that it names."""
        key_id, tenant = _said(payload, KEY_ID), _said(payload, TENANT)
        return Payload.FromString(self._sealer.open(Sealed(key_id, payload.data), _bound(tenant)))

    def opened_for(self, tenant: str, payload: Payload) -> Payload:
        """The same for somebody of that tenant; what is not theirs, or does not open, stays as it is."""
        if not is_sealed(payload) or not tenant or _said(payload, TENANT) != tenant:
            return payload
        try:
            return self.open(payload)
        except SealError:
            return payload

    def _seal(self, payload: Payload) -> Payload:
        sealed = self._sealer.seal(payload.SerializeToString(), _bound(self._tenant))
        metadata = {ENCODING: ENCRYPTED, KEY_ID: sealed.key_id.encode()}
        if self._tenant:
            metadata[TENANT] = self._tenant.encode()
        return Payload(metadata=metadata, data=sealed.data)


def codec(settings: Settings) -> Codec | None:
    """The codec of the settings; none when it is off and there is no key either. ValueError for keys that are none."""
    keys, on = settings.payload_keys.get_secret_value(), settings.payload_codec == "on"
    return Codec(Sealer(keys, PAYLOAD_KEYS), seals=on) if keys or on else None


def data_converter(settings: Settings) -> DataConverter:
    """How every client of ours speaks: pydantic, encrypted. ValueError like `codec`."""
    ours = codec(settings)
    if ours is None or settings.payload_codec == "off":
        return replace(pydantic_data_converter, payload_codec=ours)
    return replace(
        pydantic_data_converter,
        payload_codec=ours,
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )


def is_sealed(payload: Payload) -> bool:
    return payload.metadata.get(ENCODING) == ENCRYPTED


def tenant_of(workflow_id: str) -> str:
    """Whose a workflow is, by its id; empty for what is nobody's."""
    found = _OF_A_TENANT.match(workflow_id)
    return found[1] if found else ""


def _said(payload: Payload, name: str) -> str:
    return payload.metadata.get(name, b"").decode(errors="replace")


def _bound(tenant: str) -> str:
    """What a ciphertext is bound to: no row of ours is called so."""
    return f"temporal/{tenant}"
