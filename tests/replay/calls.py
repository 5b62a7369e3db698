"""Record the readings of calls for later code to replay: `python -m tests.replay.calls FOLDER`. Only ever add."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from temporalio.client import WorkflowFailureError

from starter import start
from starter.dev.postgres import Urls
from tests.replay.ground import keep, recorded, skipping, staged
from tests.transcripts.twins import Calls, TwinRecorder, long, spoken
from workflows import ids


async def read(calls: Calls) -> str:
    """In parts, one of which is asked for twice."""
    calls.model.says = ["no JSON"]
    return (await calls.take(long(2))).call_id


async def waited(calls: Calls) -> str:
    """Its recorder has it at the third time of asking."""
    calls.recorder = TwinRecorder(calls.store, ready_at=3)
    return (await calls.take(None)).call_id


async def failed(calls: Calls) -> str:
    """No answer can be used; its user is told."""
    calls.model.says = ["no JSON"] * 3
    return (await calls.take(spoken())).call_id


SCENARIOS: dict[str, Callable[[Calls], Awaitable[str]]] = {"read": read, "waited": waited, "failed": failed}


async def record(urls: Urls, folder: Path) -> None:
    for name, tell in SCENARIOS.items():
        async with skipping() as environment, staged(urls, environment) as stage:
            calls = Calls(stage)
            call_id = await tell(calls)
            async with calls.working(environment.client):
                with suppress(WorkflowFailureError):
                    await (await start.transcript(environment.client, stage.tenant.id, call_id)).result()
            await keep(environment.client, ids.transcript(stage.tenant.id, call_id), f"transcript-{name}", folder)


if __name__ == "__main__":
    recorded(record)
