"""The next brief for somebody who was on a call opens with what was promised there."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from uuid import uuid4

from rich.console import Console

from schemas.briefs import Brief
from schemas.transcripts import Speaker
from starter import start
from starter.show.blocks import opening
from starter.show.document import document
from starter.show.layout import PROMISED, SANDBOX_NOTICE, lay_out
from starter.show.markdown import markdown
from starter.show.page import page
from starter.show.terminal import show
from tests.transcripts.twins import PROMISE, Calls, spoken

OTHER = "I will bring the contract to the next meeting with all of you"


async def read(calls: Calls, *, days_ago: int = 7, promise: str = PROMISE, **changes: object) -> str:
    held = datetime.now(UTC) - timedelta(days=days_ago)
    taken = await calls.take(spoken(promise=promise), started_at=held, **changes)
    async with calls.working():
        await (await start.transcript(calls.stage.temporal, calls.stage.tenant.id, taken.call_id)).result()
    return taken.call_id


async def brief(calls: Calls, *emails: str) -> Brief:
    async with calls.stage.working():
        return await calls.stage.research(*(emails or ("ada@lovelace.example",)))


def terminal(one: Brief) -> str:
    console = Console(record=True, width=200, file=StringIO())
    show(one, console)
    return console.export_text()


async def test_it_opens_with_what_was_promised_in_the_newest_call(calls: Calls) -> None:
    await read(calls, days_ago=20, promise=OTHER)
    call_id = await read(calls, days_ago=7)
    made = await brief(calls)

    assert [(one.quote, one.who, one.at_ms, one.call_id) for one in made.promises] == [
        (PROMISE, "Ada Lovelace", 60_000, call_id)
    ]
    assert made.sandbox
    held = lay_out(made).promised
    assert held is not None
    assert held.call.startswith("First call, ")


async def test_every_way_of_showing_it_begins_with_that(calls: Calls) -> None:
    await read(calls)
    made = await brief(calls)
    laid = lay_out(made)
    assert laid.headline is not None

    for said in (page(made, standalone=True), markdown(made), terminal(made)):
        assert SANDBOX_NOTICE.split(":")[1] in said
        assert said.index(PROMISED) < said.index(PROMISE) < said.index(laid.headline.claim.text)
        assert "Ada Lovelace, 01:00" in said
    first, promise, headline = list(opening(laid))[:3]
    assert first.startswith(PROMISED)
    assert PROMISE in promise
    assert laid.headline.claim.text in headline
    assert [one["quote"] for one in document(made)["promises"]] == [PROMISE]


async def test_whoever_was_there_and_said_nothing_was_there(calls: Calls) -> None:
    tomas = "tomas.okafor@brightwater.example"
    await read(calls, speakers=(Speaker(key=tomas, email=tomas),))
    assert [one.quote for one in (await brief(calls, tomas)).promises] == [PROMISE]


async def test_what_is_old_or_of_others_opens_no_brief(calls: Calls) -> None:
    await read(calls, days_ago=181)
    colleague = str(uuid4())
    async with calls.stage.database.tenant(calls.stage.tenant.id) as connection:
        await connection.execute(
            "INSERT INTO users (tenant_id, id, email, name, created_at) VALUES (current_tenant(), $1, $2, 'Sam', now())",
            colleague,
            "sam@harbour.example",
        )
    await read(calls, owner_email="sam@harbour.example")
    made = await brief(calls)
    assert made.promises == ()
    assert PROMISED not in markdown(made)


async def test_they_go_with_their_call(calls: Calls) -> None:
    call_id = await read(calls)
    made = await brief(calls)
    async with calls.stage.database.tenant(calls.stage.tenant.id) as connection:
        await connection.execute("DELETE FROM calls WHERE id = $1", call_id)

    left = await calls.stage.brief(made.id)
    assert left.promises == ()
    assert left.claims == made.claims
