"""Record the histories that later code must replay: `python -m tests.replay.record [NAME ...]`, once for each release."""

import asyncio
import json
import sys
from dataclasses import dataclass, field

from temporalio.client import WorkflowFailureError

from activities import errors
from activities.research.economy import Thrift
from schemas.research import Begun, Start
from tests.fakes import COMPANY, PERSON, FakeModel, FakeSearch, FakeStore, down, limited
from tests.replay.ground import HISTORIES, keep, skipping
from tests.research.material import draft, fact
from tests.research.test_windows import running

GOOD = json.dumps(draft(fact()))
FRESH = {"fresh": True}


@dataclass
class Strapped(FakeStore):
    """Others have set the money aside, so often as somebody looks."""

    looks: int = 2

    async def begin(self, start: Start, thrift: Thrift, *, sandbox: bool) -> Begun:
        self.looks -= 1
        if self.looks >= 0:
            raise errors.over_budget("month", 1_000_000, held=True)
        return await super().begin(start, thrift, sandbox=sandbox)


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
        "waits-for-money": Scenario(Strapped()),
        "money-never-comes": Scenario(Strapped(looks=100)),
    }


async def record(name: str, scenario: Scenario) -> None:
    """Run it, and keep its history and its child's."""
    async with (
        skipping() as environment,
        running(environment, scenario.store, scenario.search, scenario.model) as handle,
    ):
        try:
            await handle.result()
        except WorkflowFailureError:
            sys.stdout.write(f"{name} failed, as it should\n")
        await keep(environment.client, handle.id, name)
        if "person" in scenario.search.asked:
            await keep(environment.client, f"{handle.id}/prospect/{PERSON.key}", f"{name}.prospect")


async def main() -> None:
    HISTORIES.mkdir(exist_ok=True)
    for name, scenario in scenarios().items():
        if name in sys.argv[1:] or len(sys.argv) == 1:
            await record(name, scenario)


if __name__ == "__main__":
    asyncio.run(main())
