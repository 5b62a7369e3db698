"""Work on documents as worker.py makes it: real rows, real files, real processes; only providers are pretended."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from temporalio.client import WorkflowExecutionStatus

from schemas.documentbook import DocumentView, RunView
from schemas.documents import ENDED, AskedRun, NewRun, Role, Work
from starter import documents
from starter.office import Office
from tests.stage import Stage
from tests.waiting import until
from workflows import ids

NDA = Path(__file__).with_name("nda")
# A small one of our own: whoever is named in it is invented.
TEXT = """Mutual Non-Disclosure Agreement (fictional)

1. Confidential Information. "Confidential Information" means all information that a party discloses, in any form.

2. Obligations. Recipient will not disclose Confidential Information to third parties, and will protect it with reasonable care.

3. Term. This agreement lasts for seven (7) years from its date.

4. Survival. The obligations of Recipient survive in perpetuity after the end of this agreement.

5. Governing Law. This agreement is governed by the laws of the State of Delaware.

6. Indemnity. Recipient will indemnify Discloser against all losses, without limit.
"""


class Reviewing:
    """The user of a stage, who has documents worked on, and workers that do so."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self.stage = stage
        self.tenant_id, self.user_id = stage.tenant.id, stage.user.id
        self.objects_folder = folder / "objects"
        self.changes: dict[str, Any] = {
            "objects_url": self.objects_folder.as_uri(),
            "voyage_pace": "unlimited",
            "parsing_timeout_s": 30,
        }
        self.office = Office(stage.settings(**self.changes), stage.database, stage.temporal)

    @asynccontextmanager
    async def working(self, **changes: Any) -> AsyncIterator[None]:
        async with self.stage.working(**self.changes, **changes):
            yield

    async def upload(
        self, data: bytes | str = TEXT, name: str = "nda.txt", role: Role = Role.REVIEW, *, ours: bool = True
    ) -> str:
        data = data.encode() if isinstance(data, str) else data
        user_id = self.user_id if ours else None
        return (await documents.upload(self.office, self.tenant_id, user_id, role, name, data)).id

    async def ask(self, document_id: str, work: Work = Work.ANALYSIS, **wanted: Any) -> AskedRun:
        return await documents.ask(self.office, self.tenant_id, NewRun(document_id=document_id, work=work, **wanted))

    async def run(self, document_id: str, work: Work = Work.ANALYSIS, **wanted: Any) -> RunView:
        return await self.ended((await self.ask(document_id, work, **wanted)).run_id)

    async def ended(self, run_id: str) -> RunView:
        async def over() -> RunView | None:
            view = await self.run_view(run_id)
            return view if view.status in ENDED else None

        return await until(over)

    async def run_view(self, run_id: str) -> RunView:
        view = await self.office.documents.run_view(self.tenant_id, None, run_id)
        assert view is not None
        return view

    async def view(self, document_id: str) -> DocumentView:
        view = await self.office.documents.view(self.tenant_id, None, document_id)
        assert view is not None
        return view

    async def told(self) -> list[Any]:
        events = await self.stage.events.after(self.tenant_id, 0, limit=1000)
        return [one for one in events if one.name.startswith("document/")]

    async def names(self) -> list[str]:
        """Of events that tell of an end."""
        return [one.name for one in await self.told() if not one.name.endswith(".progress")]

    def files(self) -> list[str]:
        """What lies in the object store, below this tenant."""
        found = (path for path in self.objects_folder.rglob("*") if path.is_file())
        return sorted(path.relative_to(self.objects_folder).as_posix() for path in found)

    async def settled(self, asked: AskedRun) -> WorkflowExecutionStatus | None:
        """How its workflow ended."""
        handle = self.stage.temporal.get_workflow_handle(self.workflow_id(asked))
        await asyncio.wait({asyncio.ensure_future(handle.result())}, timeout=30)
        return (await handle.describe()).status

    async def history(self, asked: AskedRun) -> str:
        handle = self.stage.temporal.get_workflow_handle(self.workflow_id(asked))
        return (await handle.fetch_history()).to_json()

    def workflow_id(self, asked: AskedRun) -> str:
        return ids.document(self.tenant_id, asked.document_id, asked.work, asked.run_id)


def another(text: str = TEXT) -> str:
    """The same agreement, as another file."""
    return f"{text}\n7. Reference. {uuid4()}\n"
