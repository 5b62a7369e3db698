"""Skills as pages list them: read from where they lie, not more often than they change, and those that are unfit with why."""

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime

from activities.skills.folders import UnfitSkillError
from activities.skills.ports import Folder, Shelf
from schemas.base import RowId, TenantId
from schemas.skills import Asked, Health, NewRun, Opinion, RunLine, RunView, Skill
from starter.words import NotFoundError

# Whoever has just put a skill there may wait that long for it.
REMEMBERED_S = 5.0
READ_AT_ONCE = 4
MOST_SHOWN = 200


@dataclass(frozen=True)
class Shown:
    """A skill, or why it is none."""

    name: str
    skill: Skill | None
    unfit: str = ""


class NoSkills:
    """There is no skill anywhere, and none was ever run."""

    async def names(self) -> tuple[str, ...]:
        return ()

    async def folder(self, _name: str) -> Folder | None:
        return None

    async def view(self, _tenant_id: TenantId, _user_id: RowId | None, _run_id: RowId) -> RunView | None:
        return None

    async def client(self, _tenant_id: TenantId, _client: str) -> tuple[RowId, str] | None:
        return None

    async def say(
        self, _tenant_id: TenantId, _user_id: RowId, _run_id: RowId, _opinion: Opinion, _now: datetime
    ) -> RowId | None:
        return None

    async def health(self, _tenant_id: TenantId) -> dict[str, Health]:
        return {}

    async def ask(self, _tenant_id: TenantId, _wanted: NewRun) -> Asked:
        raise NotFoundError("There is no such skill")

    async def cancel(self, _tenant_id: TenantId, _run_id: RowId, _user_id: RowId | None) -> bool:
        return False

    async def list(self, _tenant_id: TenantId, _user_id: RowId | None, _most: int) -> tuple[RunLine, ...]:
        return ()


class Shelved:
    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._until = 0.0
        self._found: dict[str, Shown] = {}
        self._one = asyncio.Lock()

    async def all(self) -> tuple[Shown, ...]:
        """By their names. One that cannot be read does not hide the others."""
        return tuple((await self._all()).values())

    async def one(self, name: str) -> Shown | None:
        return (await self._all()).get(name)

    async def _all(self) -> dict[str, Shown]:
        async with self._one:
            if time.monotonic() >= self._until:
                names = sorted(await self._shelf.names())[:MOST_SHOWN]
                few = asyncio.Semaphore(READ_AT_ONCE)
                found = await asyncio.gather(*(self._shown(name, few) for name in names))
                self._found = {one.name: one for one in found if one.skill is not None or one.unfit}
                self._until = time.monotonic() + REMEMBERED_S
            return self._found

    async def _shown(self, name: str, few: asyncio.Semaphore) -> Shown:
        async with few:
            try:
                folder = await self._shelf.folder(name)
            except UnfitSkillError as error:
                return Shown(name, None, error.sentence)
            return Shown(name, folder.skill if folder else None)
