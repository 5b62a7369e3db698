"""A week of somebody whose guests, search and language model are all hostile: from their calendar to their mail."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client

from activities.store.database import Database
from sandbox import Sandbox, running
from schemas.briefs import Brief
from starter.dev.postgres import Urls
from tests.diary import Diary, soon
from tests.hostile.corpus import EVERYTHING, MODEL, TEXTS, WEB
from tests.hostile.network import Spoken, overheard
from tests.stage import Stage

PATIENCE_S = 60.0


@dataclass
class Week:
    """What became of it: briefs, mails, and who was spoken to meanwhile."""

    stage: Stage
    sandbox: Sandbox
    briefs: tuple[Brief, ...]
    mails: tuple[dict[str, Any], ...]
    spoken: Spoken


@pytest.fixture(scope="session")
async def week(database: Database, temporal: Client, urls: Urls) -> AsyncIterator[Week]:
    async with running() as sandbox:
        stage = Stage(database, temporal, sandbox, urls, tenant_id=str(uuid4()))
        await stage.set_up(datetime.now(UTC))
        async with database.tenant(stage.tenant.id) as connection:
            said = EVERYTHING.replace("\x00", "")[:150]
            await connection.execute("UPDATE campaigns SET name = $1, offering = $1, pain_points = $1", said)
            await connection.execute("UPDATE users SET name = $1", said)
        with overheard() as spoken:
            diary = await Diary.connected(stage)
            _invite(diary)
            async with stage.working(search_slots=100, model_slots=100):
                await diary.read()
                mails = await _mails(sandbox, len(MODEL))
        briefs = [await stage.brief(line.id) for line in await stage.library.briefs(stage.tenant.id, 10)]
        yield Week(stage, sandbox, tuple(briefs), mails, spoken)


def _invite(diary: Diary) -> None:
    """A meeting for each script of the model, soon enough for its brief to be mailed at once."""
    faults, numbers = diary.stage.sandbox.faults, count()
    faults.put("perplexity", WEB, times=None)
    names = list(TEXTS.values())
    size = -(-len(names) // len(MODEL))
    for script, some in zip(MODEL, (names[n : n + size] for n in range(0, len(names), size)), strict=True):
        domain = f"{script.replace('_', '-')}.example"
        faults.put("anthropic", script, times=None, match=domain)
        guests = [{"email": f"kim{next(numbers)}@{domain}", "name": f"Kim {name}"[:300]} for name in some]
        diary.calendar.add(EVERYTHING[:250], soon(minutes=50), attendees=guests, description=EVERYTHING[:1000])


async def _mails(sandbox: Sandbox, number: int) -> tuple[dict[str, Any], ...]:
    async with asyncio.timeout(PATIENCE_S):
        while len(sandbox.mailbox.all()) < number:
            await asyncio.sleep(0.1)
    found = [sandbox.mailbox.get(one["n"]) for one in sandbox.mailbox.all()]
    return tuple(mail for mail in found if mail)
