"""A tenant that knows Ada from everywhere, and looks for her afterwards."""

from base64 import b64decode
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

from activities.people import PersonKeys
from activities.store.erasures import ErasureStore
from schemas.briefs import Brief
from schemas.erasures import Erasure, ErasureReport
from starter import start
from tests.diary import ADA, Diary
from tests.stage import KEY, Stage
from tests.waiting import until

NAME = "Ada Lovelace"


def key_of(stage: Stage, email: str = ADA) -> str:
    return PersonKeys(KEY).of(stage.tenant.id, email)


async def begun(stage: Stage, email: str = ADA) -> Erasure:
    """The request, not worked on yet."""
    erasure_id = await ErasureStore(stage.database).request(stage.tenant.id, email, datetime.now(UTC))
    return Erasure(tenant_id=stage.tenant.id, erasure_id=erasure_id)


async def erased(stage: Stage, email: str = ADA) -> ErasureReport:
    order = await begun(stage, email)
    await (await start.erasure(stage.temporal, order)).result()
    return await ErasureStore(stage.database).report(order)


async def meeting_id(diary: Diary, event: str) -> str:
    row = (await diary.rows())[event]
    return str(row["id"])


async def written(stage: Stage, research_id: str, *, besides: str = "") -> Brief:
    """The newest brief of a research, once there is one; `besides` one that is known."""

    async def ready() -> str | None:
        row = await stage.library.run(stage.tenant.id, research_id)
        done = row is not None and row.status == "ready" and row.brief_id != besides
        return row.brief_id if row is not None and done else None

    return await stage.brief(await until(ready))


async def dump(stage: Stage) -> str:
    """Every row of every table that is this tenant's, as text; and what belongs to nobody."""
    async with stage.database.tenant(stage.tenant.id) as connection:
        tables = await connection.fetch(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') ORDER BY 1"
        )
        names = [row["relname"] for row in tables if row["relname"] != "schema_migrations"]
        assert len(names) > 25
        rows = [await connection.fetch(f'SELECT t::text AS said FROM "{name}" t ORDER BY 1') for name in names]
    return "\n".join(row["said"] for table in rows for row in table).lower()


async def histories(stage: Stage) -> str:
    """All that the server lists of this tenant: ids, descriptions, histories with what their payloads hold."""
    parts = []
    async for run in stage.temporal.list_workflows(f"TenantId = '{stage.tenant.id}'"):
        handle = stage.temporal.get_workflow_handle(run.id, run_id=run.run_id)
        parts += [run.id, str((await handle.describe()).raw_description)]
        parts += _texts((await handle.fetch_history()).to_json_dict())
    return "\n".join(parts).lower()


def _texts(value: object) -> Iterator[str]:
    """Every text of a history; what is encoded as well as it stands."""
    if isinstance(value, str):
        yield value
        with suppress(ValueError):
            yield b64decode(value, validate=True).decode(errors="replace")
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)


async def forgotten(stage: Stage, now: datetime) -> ErasureReport:
    """As the workflow has it, without one."""
    store, order = ErasureStore(stage.database), await begun(stage)
    await store.begin(order, key_of(stage), now)
    async with stage.database.tenant(stage.tenant.id) as connection:
        await connection.execute("UPDATE erasures SET names = $1", [NAME])
    while (await store.sweep(order, now)).changed:
        pass
    for research_id in await store.researches(order):
        await store.deleted(order, research_id, 0)
    await store.finish(order, now)
    return await store.report(order)
