"""What Temporal keeps of our runs is encrypted before it leaves us, and opened when it comes back.

value ─▶ JSON ─▶ Codec: sealed for its tenant, by the workflow it belongs to ─▶ Temporal ─▶ Codec ─▶ value

Inputs, results, failures, summaries, details and memos. Not ids, types and search attributes: those tell nothing.
"""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NoReturn, Self

from temporalio.api.common.v1 import Payload
from temporalio.client import Client
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

from activities.sealing import Sealed, Sealer, SealError, new_key
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
        return self if tenant == self._tenant else self._of(tenant)

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

    def for_hands(self, unfit: Callable[[SealError], None]) -> "Codec":
        return _Hands(self._sealer, seals=self._seals, unfit=unfit)

    def _of(self, tenant: str) -> Self:
        return type(self)(self._sealer, seals=self._seals, tenant=tenant)

    def _seal(self, payload: Payload) -> Payload:
        sealed = self._sealer.seal(payload.SerializeToString(), _bound(self._tenant))
        metadata = {ENCODING: ENCRYPTED, KEY_ID: sealed.key_id.encode()}
        if self._tenant:
            metadata[TENANT] = self._tenant.encode()
        return Payload(metadata=metadata, data=sealed.data)


class _Hands(Codec):
    """The codec of a worker that has activities alone: what it cannot open it neither does nor refuses.

    A refusal would cost the step a try, and a worker without the key refuses all it is given. One that is silent loses
    the task to the next after a heartbeat's time-out, and steps outlive that (workflows/steps.py).
    """

    def __init__(self, sealer: Sealer, *, seals: bool, unfit: Callable[[SealError], None], tenant: str = "") -> None:
        super().__init__(sealer, seals=seals, tenant=tenant)
        self._unfit = unfit

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        try:
            return await super().decode(payloads)
        except SealError as error:
            self._unfit(error)
            return await _silence()

    def _of(self, tenant: str) -> Self:
        return type(self)(self._sealer, seals=self._seals, unfit=self._unfit, tenant=tenant)


async def _silence() -> NoReturn:
    """Until the worker that ends cancels it."""
    await asyncio.Event().wait()
    raise AssertionError("nobody sets it")


def for_hands(client: Client, unfit: Callable[[SealError], None]) -> Client:
    """The client of a worker that has activities alone. `unfit` hears why it cannot go on: it is to end."""
    ours = client.data_converter.payload_codec
    if not isinstance(ours, Codec):
        return client
    config = client.config()
    config["data_converter"] = replace(client.data_converter, payload_codec=ours.for_hands(unfit))
    return Client(**config)


def codec(settings: Settings) -> Codec:
    """The codec of the settings. When it is off and there is no key, nothing sealed opens. ValueError for keys that are
    none."""
    keys, on = settings.payload_keys.get_secret_value(), settings.payload_codec == "on"
    return Codec(Sealer(keys if keys or on else new_key(), PAYLOAD_KEYS), seals=on)


def data_converter(settings: Settings) -> DataConverter:
    """How every client of ours speaks: pydantic, encrypted. ValueError like `codec`."""
    ours = codec(settings)
    if settings.payload_codec == "off":
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
