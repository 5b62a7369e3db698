"""Bootstraps as they are asked for: what is missing is said first, an event is one bootstrap, and what nobody works on is
gone on with."""

from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from schemas.bootstraps import BootstrapStatus, NewBootstrap
from schemas.reconciliation import Comparing, Done, Life
from starter import bootstraps
from starter.dispatch import Dispatcher
from starter.inbox import read
from starter.nouns import nouns
from starter.office import Office
from starter.words import NotFoundError, NotReadyError
from tests.bootstraps.rows import NOW
from tests.stage import Stage
from workflows import ids


class Away:
    """Temporal, when it is not there."""

    async def start_workflow(self, *_: object, **__: object) -> None:
        raise RPCError("away", RPCStatusCode.UNAVAILABLE, b"")

    def get_workflow_handle(self, _name: str) -> "Away":
        return self

    async def signal(self, *_: object) -> None:
        raise RPCError("away", RPCStatusCode.UNAVAILABLE, b"")


def office(stage: Stage, folder: Path, client: Any = None, **changes: Any) -> Office:
    usual = {"objects_url": folder.as_uri(), "voyage_api_key": ""}
    return Office(stage.settings(**{**usual, **changes}), stage.database, client or stage.temporal)


async def rung(temporal: Client) -> bool:
    """Whether somebody was begun; that there is nobody at work here ends it."""
    handle = temporal.get_workflow_handle(ids.BOOTSTRAPS)
    try:
        await handle.terminate("nobody works here")
    except RPCError:
        return False
    return True


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"objects_url": ""}, "nowhere to keep"),
        ({"references_url": "ftp://somewhere"}, "cannot be read"),
        ({"sandbox": False}, "no library"),
        ({"sandbox": False, "references_url": "/somewhere"}, "a key is missing"),
    ],
    ids=["objects", "address", "library", "key"],
)
async def test_what_is_missing_is_said_before_anything_is_written(
    stage: Stage, tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    at = office(stage, tmp_path, Away(), **changes)
    with pytest.raises(NotReadyError, match=said):
        await bootstraps.ask(at, stage.tenant.id, NewBootstrap())
    assert await stage.count("bootstraps") == 0


async def test_without_temporal_it_is_written_down_and_can_be_cancelled(stage: Stage, tmp_path: Path) -> None:
    at = office(stage, tmp_path, Away())
    asked = await bootstraps.ask(at, stage.tenant.id, NewBootstrap(sources=("a.txt",)))
    assert await bootstraps.cancel(at, stage.tenant.id, asked.bootstrap_id)
    assert not await bootstraps.cancel(at, stage.tenant.id, asked.bootstrap_id)
    view = await at.bootstraps.view(stage.tenant.id, asked.bootstrap_id)
    assert view is not None and view.status is BootstrapStatus.CANCELLED
    with pytest.raises(NotFoundError):
        await bootstraps.cancel(at, stage.tenant.id, stage.tenant.id)


@pytest.mark.parametrize(
    ("name", "data", "named"),
    [
        ("bootstrap/ingest.requested", {"sources": ["b.txt", "a.txt"], "forceRefresh": True}, ["a.txt", "b.txt"]),
        ("bootstrap/ingest.requested", {}, []),
        ("bootstrap/source.process", {"source": "a.txt", "progressId": "p1"}, ["a.txt"]),
    ],
    ids=["some", "all", "one"],
)
async def test_an_event_is_one_bootstrap_however_often_it_is_begun(
    stage: Stage, tmp_path: Path, name: str, data: dict[str, Any], named: list[str]
) -> None:
    at = office(stage, tmp_path)
    dispatcher = Dispatcher(at.settings, stage.database, stage.temporal)
    (sent,) = read({"name": name, "data": data}, stage.tenant.id, str)
    row = "7c0b6a1e-0000-4000-8000-0000000000aa"
    for _ in range(2):
        begun = await dispatcher.begin(stage.tenant.id, sent, row)
        assert (begun.workflow_id, begun.parked) == (ids.BOOTSTRAPS, False)
    assert await rung(stage.temporal)
    async with stage.database.tenant(stage.tenant.id) as connection:
        (found,) = await connection.fetch("SELECT id, named, force FROM bootstraps")
    assert (found["id"], found["named"], found["force"]) == (row, named, bool(data.get("forceRefresh")))
    await bootstraps.cancel(at, stage.tenant.id, row)


async def test_what_nobody_works_on_is_gone_on_with(stage: Stage, tmp_path: Path) -> None:
    at = office(stage, tmp_path, Away())
    asked = await bootstraps.ask(at, stage.tenant.id, NewBootstrap())
    await rung(stage.temporal)
    noun = next(one for one in nouns(stage.database, stage.temporal) if one.name == "bootstraps")
    view = await at.bootstraps.view(stage.tenant.id, asked.bootstrap_id)
    assert view is not None
    early, late = (Comparing(now=at_, before=at_, asked_before=at_, soon=at_) for at_ in (NOW, view.created_at))
    assert asked.bootstrap_id not in {one.id for one in await noun.open(early, None)}
    (row,) = [one for one in await noun.open(late, None) if one.id == asked.bootstrap_id]
    assert noun.workflow_id(row) == ids.BOOTSTRAPS
    assert await noun.mend(row, Life.GONE, late) is Done.BEGUN
    assert await rung(stage.temporal)
    await bootstraps.cancel(at, stage.tenant.id, asked.bootstrap_id)
    assert await noun.mend(row, Life.GONE, late) is None
    assert not await rung(stage.temporal)
