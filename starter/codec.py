"""Can what Temporal keeps be encrypted here, and can what is there be opened: a check of `doctor`, and of a worker that
starts.

A worker without the right key would fail what it is given, over and over, so it does not begin.
"""

from collections.abc import AsyncIterator, Sequence

from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities import coding
from activities.sealing import SealError
from schemas.settings import Settings
from starter import schedules
from starter.checks import Check
from starter.environment import connect, data_converter
from starter.words import NotReadyError

PUT_BACK = f"put that key into {coding.PAYLOAD_KEYS}, last is enough"


async def everything(settings: Settings) -> AsyncIterator[Check]:
    yield (check := keys(settings))
    if check.ok:
        try:
            yield await fit(await connect(settings), settings)
        except (NotReadyError, RPCError):
            return  # that Temporal is away has been said


def keys(settings: Settings) -> Check:
    """Payloads can be sealed, or somebody said that they are not to be."""
    try:
        data_converter(settings)
    except NotReadyError as error:
        return Check(coding.PAYLOAD_KEYS, ok=False, said=error.sentence, remedy=error.remedy)
    if settings.payload_codec == "off":
        said = "GREENROOM_PAYLOAD_CODEC is off: Temporal keeps payloads as they are"
        return Check(coding.PAYLOAD_KEYS, ok=True, said=said, remedy="set it to on", warning=True)
    first = settings.payload_keys.get_secret_value().strip(" ,").partition(":")[0]
    return Check(coding.PAYLOAD_KEYS, ok=True, said=f"seals with {first}")


async def fit(client: Client, settings: Settings) -> Check:
    """What the worker that started last has written opens here too: each of them writes the schedules."""
    try:
        payloads = [payload for name in schedules.NAMES for payload in await _written(client, name)]
        why = await _closed(settings, payloads)
    except RPCError as error:
        return Check("payloads", ok=True, said=f"could not be looked at ({error.status.name})", warning=True)
    return Check("payloads", not why, why or "what the newest worker wrote can be read", PUT_BACK)


async def _written(client: Client, name: str) -> Sequence[Payload]:
    """The order that a schedule gives, as the server has it."""
    try:
        there = await client.get_schedule_handle(name).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return []
        raise
    return list(there.raw_description.schedule.action.start_workflow.input.payloads)


async def _closed(settings: Settings, payloads: Sequence[Payload]) -> str:
    """Why they cannot be read, in a sentence; empty when they can."""
    try:
        await coding.codec(settings).decode(payloads)
    except SealError as error:
        return f"Temporal keeps payloads that cannot be read: {error}"
    return ""
