"""Files that nothing needs any more are deleted where they are kept, and then forgotten; one that stays is tried again."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities import errors
from activities.objects import ObjectActivities
from activities.ports import Objects
from activities.store.database import Database
from activities.store.unneeded import BATCH, UnneededStore
from schemas.base import TenantId
from schemas.erasures import Discarded, Outdated
from tests.digests.voices import Shelf
from tests.stage import Stage

NOW = datetime(2026, 11, 23, tzinfo=UTC)


class Only(UnneededStore):
    """Of the tenants of a test."""

    def __init__(self, database: Database, *tenants: TenantId) -> None:
        super().__init__(database)
        self._tenants = tenants

    async def tenants(self) -> list[TenantId]:
        there = await super().tenants()
        return [one for one in there if one in self._tenants]


async def unneeded(stage: Stage, keys: Sequence[str]) -> None:
    async with stage.database.tenant(stage.tenant.id) as connection:
        await connection.executemany(
            "INSERT INTO unneeded_objects (tenant_id, key, since) VALUES (current_tenant(), $1, $2)",
            [(key, NOW) for key in keys],
        )


async def sweep(store: UnneededStore, objects: Objects | None) -> Discarded:
    return await ActivityEnvironment().run(ObjectActivities(store, objects).sweep, Outdated(now=NOW))


async def test_all_of_them_go_however_many_there_are_and_no_others(stage: Stage) -> None:
    keys = [f"{stage.tenant.id}/digests/{n}.mp3" for n in range(BATCH + 5)]
    shelf = Shelf(dict.fromkeys([*keys, "another.mp3"], b"1"))
    await unneeded(stage, [*keys, "gone/already.mp3"])
    store = Only(stage.database, stage.tenant.id)
    assert await sweep(store, shelf) == Discarded(tenants=1, counts={"files": BATCH + 6})
    assert (list(shelf.held), await store.unneeded(stage.tenant.id, NOW)) == (["another.mp3"], [])
    assert await sweep(store, shelf) == Discarded()


class Refusing(Shelf):
    async def delete(self, keys: Sequence[str]) -> None:
        if "stubborn.mp3" in keys:
            raise errors.unreachable("the store", OSError())
        await super().delete(keys)


async def test_one_tenant_s_trouble_is_told_and_does_not_keep_another_s(stage: Stage) -> None:
    other = Stage(stage.database, stage.temporal, stage.sandbox, stage.urls, str(uuid4()))
    await other.set_up(NOW)
    await unneeded(stage, ["stubborn.mp3"])
    await unneeded(other, ["willing.mp3"])
    store, shelf = Only(stage.database, stage.tenant.id, other.tenant.id), Refusing({"willing.mp3": b"1"})
    with pytest.raises(ApplicationError, match="1 of 2 tenants"):
        await sweep(store, shelf)
    assert await store.unneeded(stage.tenant.id, NOW) == ["stubborn.mp3"]
    assert (await store.unneeded(other.tenant.id, NOW), shelf.held) == ([], {})


async def test_without_a_place_for_files_what_is_written_down_stays(stage: Stage) -> None:
    await unneeded(stage, ["x.mp3"])
    store = Only(stage.database, stage.tenant.id)
    assert await sweep(store, None) == Discarded()
    assert await store.unneeded(stage.tenant.id, NOW) == ["x.mp3"]


async def test_a_tenant_sees_its_own_alone(stage: Stage) -> None:
    other = Stage(stage.database, stage.temporal, stage.sandbox, stage.urls, str(uuid4()))
    await other.set_up(NOW)
    await unneeded(other, ["theirs.mp3"])
    store = UnneededStore(stage.database)
    assert await store.unneeded(stage.tenant.id, NOW) == []
    assert await store.deleted(stage.tenant.id, ["theirs.mp3"]) == 0
    assert await store.unneeded(other.tenant.id, NOW) == ["theirs.mp3"]
