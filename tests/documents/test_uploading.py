"""A file that comes in: whoever is cut off leaves none that nobody knows of, and one that is gone is put back."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.client import Client
from temporalio.testing import ActivityEnvironment

from activities import errors
from activities.documents import keys
from activities.objects import ObjectActivities
from activities.store.database import Database
from activities.store.unneeded import UnneededStore
from schemas.base import TenantId
from schemas.documents import Role, TakenDocument
from schemas.erasures import Outdated
from schemas.settings import Settings
from starter import documents
from starter.office import Office
from starter.words import NotFoundError, NotReadyError
from tests.documents.file_room import FileRoom

DATA = b"1. Term. Two years, and it is fictional."
SOON, LATER = timedelta(minutes=50), timedelta(hours=2)


class Drawer:
    """Keeps files in memory. Whoever puts one away while it is `stuck` waits, though the file is there."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}
        self.stuck = False
        self.put_away = asyncio.Event()

    async def put(self, key: str, data: bytes, kind: str) -> None:
        assert kind.startswith("text/plain")
        self.held[key] = data
        self.put_away.set()
        while self.stuck:
            await asyncio.sleep(3600)

    async def get(self, key: str) -> bytes | None:
        if self.stuck:
            raise errors.unreachable("the store", OSError())
        return self.held.get(key)

    async def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            self.held.pop(key, None)


class Tenants(UnneededStore):
    """Of the tenant of a test."""

    def __init__(self, room: FileRoom) -> None:
        super().__init__(room.database)
        self._room = room

    async def tenants(self) -> list[TenantId]:
        return [self._room.tenant.id]


@pytest.fixture
async def room(database: Database) -> FileRoom:
    room = FileRoom(database)
    await room.set_up()
    return room


@pytest.fixture
def drawer() -> Drawer:
    return Drawer()


@pytest.fixture
def office(room: FileRoom, drawer: Drawer, temporal: Client, tmp_path: Path) -> Office:
    office = Office(Settings(objects_url=tmp_path.as_uri()), room.database, temporal)
    office.__dict__["objects"] = drawer
    return office


async def uploaded(office: Office, room: FileRoom, user_id: str | None = None) -> TakenDocument:
    return await documents.upload(office, room.tenant.id, user_id or room.user.id, Role.REVIEW, "nda.txt", DATA)


async def swept(room: FileRoom, drawer: Drawer, after: timedelta) -> None:
    owner = ObjectActivities(Tenants(room), drawer)
    await ActivityEnvironment().run(owner.sweep, Outdated(now=datetime.now(UTC) + after))


async def test_a_file_whose_upload_is_cut_off_goes_after_a_while(
    office: Office, room: FileRoom, drawer: Drawer
) -> None:
    drawer.stuck = True
    cut_off = asyncio.create_task(uploaded(office, room))
    await drawer.put_away.wait()
    cut_off.cancel()
    await asyncio.gather(cut_off, return_exceptions=True)
    assert (len(drawer.held), await room.count("documents")) == (1, 0)

    await swept(room, drawer, SOON)
    assert drawer.held, "it could be under way still"
    await swept(room, drawer, LATER)
    assert (drawer.held, await room.unneeded()) == ({}, set())


async def test_the_file_of_a_document_stays(office: Office, room: FileRoom, drawer: Drawer) -> None:
    taken = await uploaded(office, room)
    assert await room.unneeded() == set()
    await swept(room, drawer, LATER)
    assert drawer.held == {keys.original(room.tenant.id, taken.id): DATA}


async def test_the_file_of_nobody_goes(office: Office, room: FileRoom, drawer: Drawer) -> None:
    with pytest.raises(NotFoundError):
        await uploaded(office, room, str(uuid4()))
    await swept(room, drawer, LATER)
    assert drawer.held == {}


async def test_of_the_same_file_at_once_one_is_kept(office: Office, room: FileRoom, drawer: Drawer) -> None:
    taken = await asyncio.gather(*(uploaded(office, room) for _ in range(4)))
    await swept(room, drawer, LATER)
    assert list(drawer.held) == [keys.original(room.tenant.id, {one.id for one in taken}.pop())]


async def test_the_file_of_a_document_that_is_deleted_goes_at_once(
    office: Office, room: FileRoom, drawer: Drawer
) -> None:
    taken = await uploaded(office, room)
    assert list(drawer.held) == [keys.original(room.tenant.id, taken.id)]
    assert await documents.delete(office, room.tenant.id, taken.id)

    assert drawer.held == {}
    assert await room.unneeded() == set()


async def test_a_file_that_cannot_be_deleted_now_goes_by_night(
    office: Office, room: FileRoom, drawer: Drawer, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = await uploaded(office, room)

    async def away(_keys: Sequence[str]) -> None:
        raise errors.unreachable("the store", OSError())

    monkeypatch.setattr(drawer, "delete", away)
    assert await documents.delete(office, room.tenant.id, taken.id)

    assert await room.unneeded() == {keys.original(room.tenant.id, taken.id)}


async def test_a_file_that_is_gone_is_put_back(office: Office, room: FileRoom, drawer: Drawer) -> None:
    first = await uploaded(office, room)
    drawer.held.clear()
    assert await uploaded(office, room) == TakenDocument(id=first.id, fresh=False)
    await swept(room, drawer, LATER)
    assert drawer.held == {keys.original(room.tenant.id, first.id): DATA}

    drawer.stuck = True
    with pytest.raises(NotReadyError, match="cannot be kept"):
        await uploaded(office, room)
