"""Record the loading of bills for later code to replay: `python -m tests.replay.bills FOLDER`. Only ever add."""

from contextlib import suppress
from pathlib import Path

from temporalio.client import WorkflowFailureError

from starter import bills
from starter.dev.postgres import Urls
from tests.replay.ground import keep, recorded, skipping, staged
from workflows import ids

# By what the congress says when it is asked.
SCENARIOS: dict[str, int | None] = {"loaded": None, "refused": 403}


async def record(urls: Urls, folder: Path) -> None:
    for name, status in SCENARIOS.items():
        async with skipping() as environment, staged(urls, environment) as stage, stage.working():
            if status is not None:
                stage.sandbox.faults.put("congress", "status", status=status)
            with suppress(WorkflowFailureError):
                await bills.load(environment.client)
            await keep(environment.client, ids.BILL_LOAD, f"bills-{name}", folder)


if __name__ == "__main__":
    recorded(record)
