"""Record the histories that later code must replay: `python -m tests.replay.record [NAME ...]`, once for each release.

Only ever add: a history is deleted when no run of its age can still be open.
"""

import asyncio
import json
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

from temporalio.client import Client, WorkflowFailureError
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from tests.conftest import know_attributes, program
from tests.fakes import COMPANY, PERSON, FakeModel, FakeSearch, FakeStore, down, limited
from tests.research.material import draft, fact
from tests.research.test_windows import running

HISTORIES = Path(__file__).with_name("histories")
GOOD = json.dumps(draft(fact()))
FRESH = {"fresh": True}


@dataclass
class Scenario:
    """A run that differs from the others in the commands it gives."""

    store: FakeStore = field(default_factory=FakeStore)
    search: FakeSearch = field(default_factory=FakeSearch)
    model: FakeModel = field(default_factory=lambda: FakeModel([GOOD]))


def scenarios() -> dict[str, Scenario]:
    return {
        "brief": Scenario(),
        "brief-of-fresh-people": Scenario(
            FakeStore((PERSON.model_copy(update=FRESH),), (COMPANY.model_copy(update=FRESH),))
        ),
        "company-left-out": Scenario(FakeStore((PERSON,), (COMPANY.model_copy(update={"left_out": True}),))),
        "nobody-found": Scenario(search=FakeSearch(finds=False)),
        "straggler": Scenario(search=FakeSearch({"person": [limited(800)]})),
        "look-ups-retried": Scenario(search=FakeSearch({"person": [down()], "company": [down(), down()]})),
        "repaired": Scenario(model=FakeModel(["{", GOOD])),
        "never-valid": Scenario(model=FakeModel(["{"])),
        "too-slow-to-write": Scenario(model=FakeModel([limited(800)])),
    }


async def record(name: str, scenario: Scenario) -> None:
    """Run it, and keep its history and its child's."""
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=program("temporal-test-server"), data_converter=pydantic_data_converter
    ) as environment:
        await know_attributes(environment.client)
        async with running(environment, scenario.store, scenario.search, scenario.model) as handle:
            try:
                await handle.result()
            except WorkflowFailureError:
                sys.stdout.write(f"{name} failed, as it should\n")
            await keep(environment.client, handle.id, name)
            if not scenario.store.prospects[0].fresh:
                await keep(environment.client, f"{handle.id}/prospect/{PERSON.key}", f"{name}.prospect")


async def keep(client: Client, workflow_id: str, name: str, folder: Path = HISTORIES) -> None:
    """A history, with nothing of the machine that made it."""
    history = await client.get_workflow_handle(workflow_id).fetch_history()
    text = re.sub(r'"identity": "[^"]*"', '"identity": "recorder"', history.to_json())
    # Where a machine keeps its files is no part of a history.
    text = re.sub(r'"stackTrace": "(?:[^"\\]|\\.)*"', '"stackTrace": ""', text)
    (folder / f"{name}.json").write_text(json.dumps(json.loads(text), indent=1) + "\n")


async def main() -> None:
    HISTORIES.mkdir(exist_ok=True)
    for name, scenario in scenarios().items():
        if name in sys.argv[1:] or len(sys.argv) == 1:
            await record(name, scenario)


if __name__ == "__main__":
    asyncio.run(main())
