"""A skill's run as worker.py makes it: real rows, a real model's protocol, real objects; only providers are pretended."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from activities.providers import made
from schemas.skills import Asked, NewRun, RunStatus, RunView
from starter import skills
from starter.office import Office
from tests.stage import Stage
from tests.waiting import until
from workflows import ids

ENDED = {RunStatus.COMPLETED, RunStatus.FAILED}
MAIN = "---\nname: {name}\ndescription: Writes something.\n{more}---\nWrite what is asked for.\n"


class Running:
    """The user of a stage, who has skills run, and workers that run them."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self.stage = stage
        self.tenant_id, self.user_id = stage.tenant.id, stage.user.id
        self.shelf = folder / "shelf"
        self.changes: dict[str, Any] = {"objects_url": (folder / "objects").as_uri()}
        settings = stage.settings(**self.changes)
        self.office = Office(settings, stage.database, stage.temporal)

    def shelve(self, name: str, more: str = "") -> None:
        """A skill of the test's own; from now on there are no others."""
        (self.shelf / name).mkdir(parents=True)
        (self.shelf / name / "SKILL.md").write_text(MAIN.format(name=name, more=more))
        self.put_up()

    def put_up(self) -> None:
        self.changes["skills_url"] = str(self.shelf)
        self.office = Office(self.stage.settings(**self.changes), self.stage.database, self.stage.temporal)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        async with self.stage.working(**self.changes):
            yield

    async def ask(self, skill: str, **wanted: Any) -> Asked:
        return await skills.ask(self.office, self.tenant_id, NewRun(user_id=self.user_id, skill=skill, **wanted))

    async def run(self, skill: str, **wanted: Any) -> RunView:
        return await self.ended((await self.ask(skill, **wanted)).run_id)

    async def ended(self, run_id: str) -> RunView:
        async def over() -> RunView | None:
            view = await self.view(run_id)
            return view if view.status in ENDED else None

        return await until(over)

    async def view(self, run_id: str) -> RunView:
        view = await self.office.skill_runs.view(self.tenant_id, None, run_id)
        assert view is not None
        return view

    async def text(self, view: RunView) -> str:
        assert view.output is not None
        objects = made.objects(self.office.settings)
        assert objects is not None
        data = await objects.get(view.output.object_key)
        assert data is not None
        return data.decode()

    async def sql(self, statement: str) -> None:
        async with self.stage.database.tenant(self.tenant_id) as connection:
            await connection.execute(statement)

    async def told(self) -> list[Any]:
        events = await self.stage.events.after(self.tenant_id, 0)
        return [one for one in events if one.name.startswith("skill")]

    async def mails(self, run_id: str) -> list[dict[str, Any]]:
        """Those that lead to it. A notice outlives whoever ordered it."""
        mailbox = self.stage.sandbox.mailbox

        async def there() -> list[dict[str, Any]]:
            every = [mailbox.get(number) or {} for number in range(1, len(mailbox.all()) + 1)]
            return [one for one in every if run_id in one["text"]]

        return await until(there)

    async def settled(self, run_id: str) -> str:
        """How its workflow ended."""
        handle = self.stage.temporal.get_workflow_handle(ids.skill(self.tenant_id, run_id))
        await asyncio.wait({asyncio.ensure_future(handle.result())}, timeout=30)
        status = (await handle.describe()).status
        return status.name if status else ""

    async def history(self, run_id: str) -> str:
        handle = self.stage.temporal.get_workflow_handle(ids.skill(self.tenant_id, run_id))
        return (await handle.fetch_history()).to_json()
