"""Connections: connected once, refreshed once, lost once; and sealed for whoever reads the table."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.ports import Grant
from activities.sealing import Sealer, new_key
from activities.store.connections import Connected, ConnectionStore
from activities.store.rotation import Rotation
from tests.stage import ACCOUNT, TOKEN_KEYS, Stage

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
GRANT = Grant("access-1", "refresh-1", 3600, ("calendar",))


@pytest.fixture
def store(stage: Stage) -> ConnectionStore:
    return stage.connections()


async def connect(stage: Stage, grant: Grant = GRANT, account: str = ACCOUNT) -> Connected:
    return await stage.connections().connect(
        stage.tenant.id, stage.user.id, account, grant, provider="google", sandbox=True, now=NOW
    )


async def row(stage: Stage, connected: Connected, table: str = "connections") -> dict[str, Any]:
    async with stage.database.tenant(stage.tenant.id) as connection:
        wanted = connected.connection_id if table == "connections" else connected.calendar_id
        found = await connection.fetchrow(f"SELECT * FROM {table} WHERE id = $1", wanted)
        assert found is not None
        return dict(found)


async def test_a_connection_has_its_tokens_and_a_calendar_that_goes_by_its_address(
    stage: Stage, store: ConnectionStore
) -> None:
    connected = await connect(stage)

    tokens = await store.tokens(stage.tenant.id, connected.connection_id)
    assert (tokens.status, tokens.access_token, tokens.refresh_token) == ("active", "access-1", "refresh-1")
    assert tokens.expires_at == NOW + timedelta(hours=1)
    calendar = await row(stage, connected, "calendars")
    assert (calendar["provider_key"], calendar["watched"]) == (ACCOUNT, True)


async def test_the_table_holds_no_token(stage: Stage) -> None:
    kept = repr(await row(stage, await connect(stage)))
    assert "access-1" not in kept
    assert "refresh-1" not in kept


async def test_connecting_again_keeps_the_calendar_and_its_place(stage: Stage, store: ConnectionStore) -> None:
    first = await connect(stage)
    async with stage.database.tenant(stage.tenant.id) as connection:
        await connection.execute("UPDATE calendars SET sync_token = 'here', failing_since = $1, failure = 'x'", NOW)
    await store.lost(stage.tenant.id, first.connection_id, 1)
    again = await connect(stage, Grant("access-2", "refresh-2", 3600), ACCOUNT.upper())

    assert again == first
    tokens = await store.tokens(stage.tenant.id, again.connection_id)
    assert (tokens.status, tokens.access_token, tokens.refresh_token, tokens.version) == (
        "active",
        "access-2",
        "refresh-2",
        2,
    )
    calendar = await row(stage, again, "calendars")
    assert (calendar["sync_token"], calendar["failing_since"], calendar["failure"]) == ("here", None, None)
    assert await stage.count("connections") == await stage.count("calendars") == 1


async def test_a_grant_without_a_refresh_token_keeps_the_old_one(stage: Stage, store: ConnectionStore) -> None:
    await connect(stage)
    again = await connect(stage, replace(GRANT, access_token="access-2", refresh_token=None))

    tokens = await store.tokens(stage.tenant.id, again.connection_id)
    assert (tokens.access_token, tokens.refresh_token) == ("access-2", "refresh-1")


async def test_connecting_twice_at_once_is_one_connection(stage: Stage) -> None:
    both = await asyncio.gather(connect(stage), connect(stage))
    assert both[0] == both[1]


async def test_a_refresh_keeps_the_refresh_token_or_takes_the_new_one(stage: Stage, store: ConnectionStore) -> None:
    known = stage.tenant.id, (await connect(stage)).connection_id
    await store.refreshed(*known, 1, Grant("access-2", None, 60), NOW)
    assert (await store.tokens(*known)).refresh_token == "refresh-1"

    await store.refreshed(*known, 2, Grant("access-3", "refresh-3", 60), NOW)
    tokens = await store.tokens(*known)
    assert (tokens.access_token, tokens.refresh_token, tokens.version) == ("access-3", "refresh-3", 3)
    assert tokens.expires_at == NOW + timedelta(seconds=60)


async def test_a_late_refresh_changes_nothing(stage: Stage, store: ConnectionStore) -> None:
    known = stage.tenant.id, (await connect(stage)).connection_id
    await connect(stage, Grant("access-2", "refresh-2", 3600))

    await store.refreshed(*known, 1, Grant("late", "late", 60), NOW)
    assert (await store.tokens(*known)).access_token == "access-2"


async def test_a_lease_is_one_s_until_it_is_over(stage: Stage, store: ConnectionStore) -> None:
    known = stage.tenant.id, (await connect(stage)).connection_id
    mine, theirs = NOW + timedelta(seconds=30), NOW + timedelta(seconds=31)

    assert await store.lease(*known, 1, until=mine, now=NOW)
    assert await store.lease(*known, 1, until=mine, now=NOW), "a lost reply made us ask twice"
    assert not await store.lease(*known, 1, until=theirs, now=NOW)
    assert not await store.lease(*known, 2, until=theirs, now=mine), "there are other tokens now"
    assert await store.lease(*known, 1, until=theirs + timedelta(seconds=30), now=mine), "its holder has died"
    await store.release(*known, mine)
    assert not await store.lease(*known, 1, until=theirs, now=mine), "it was not theirs to release"


async def test_what_is_lost_is_not_undone_by_itself_nor_undoes_a_newer_grant(
    stage: Stage, store: ConnectionStore
) -> None:
    known = stage.tenant.id, (await connect(stage)).connection_id
    assert await store.lost(*known, 1)
    assert await store.lost(*known, 1), "told twice"
    assert (await store.tokens(*known)).status == "reauth_required"

    await connect(stage, Grant("access-2", "refresh-2", 3600))
    assert not await store.lost(*known, 1)
    assert (await store.tokens(*known)).status == "active"


async def test_disconnecting_forgets_the_tokens_and_gives_back_what_revokes_them(
    stage: Stage, store: ConnectionStore
) -> None:
    connected = await connect(stage)
    known = stage.tenant.id, connected.connection_id

    assert await store.disconnect(*known, NOW) == "refresh-1"
    assert await store.disconnect(*known, NOW) is None
    tokens = await store.tokens(*known)
    assert (tokens.status, tokens.access_token, tokens.refresh_token) == ("disconnected", "", "")
    assert not (await row(stage, connected, "calendars"))["watched"]
    assert not await store.lost(*known, tokens.version), "what was given up is not lost"


async def test_somebody_else_s_connection_is_not_there(stage: Stage, store: ConnectionStore) -> None:
    connected = await connect(stage)
    with pytest.raises(ApplicationError, match="no such connection"):
        await store.tokens("00000000-0000-4000-8000-000000000000", connected.connection_id)


async def test_an_unknown_user_connects_nothing(stage: Stage, store: ConnectionStore) -> None:
    with pytest.raises(ApplicationError, match="no such user"):
        await store.connect(
            stage.tenant.id,
            "00000000-0000-4000-8000-000000000000",
            ACCOUNT,
            GRANT,
            provider="google",
            sandbox=True,
            now=NOW,
        )


async def rotate(stage: Stage, keys: str, limit: int = 1) -> tuple[int, int]:
    rotation = Rotation(stage.database, Sealer(keys))
    sealed, failed, after = 0, 0, None
    while True:
        rotated = await rotation.rotate(after, limit)
        sealed, failed, after = sealed + rotated.sealed, failed + rotated.failed, rotated.after
        if after is None:
            return sealed, failed


async def test_a_rotation_seals_everything_anew_while_tokens_are_refreshed(stage: Stage) -> None:
    connected = [await connect(stage, account=f"{n}@harbour.example") for n in range(3)]
    new = new_key()
    both = f"{new},{TOKEN_KEYS}"
    known = stage.tenant.id, connected[0].connection_id

    # A worker that knows the new key, and is still told to seal with the old one, refreshes meanwhile.
    behind = ConnectionStore(stage.database, Sealer(f"{TOKEN_KEYS},{new}"))
    await asyncio.gather(
        rotate(stage, both), *(behind.refreshed(*known, n, Grant(f"a{n}", None, 60), NOW) for n in (1, 2, 3))
    )
    await rotate(stage, both)

    only_new = ConnectionStore(stage.database, Sealer(new))
    for one in connected:
        assert (await only_new.tokens(stage.tenant.id, one.connection_id)).refresh_token == "refresh-1"
    assert {(await row(stage, one))["key_id"] for one in connected} == {new.partition(":")[0]}


async def test_what_no_key_opens_is_counted_and_left(stage: Stage) -> None:
    connected = await connect(stage)
    unknown = new_key()
    _, failed = await rotate(stage, unknown, limit=100)

    assert failed >= 1
    assert (await stage.connections().tokens(stage.tenant.id, connected.connection_id)).access_token == "access-1"
    with pytest.raises(ApplicationError, match="there is no key 'test'") as raised:
        await ConnectionStore(stage.database, Sealer(unknown)).tokens(stage.tenant.id, connected.connection_id)
    assert (raised.value.type, raised.value.non_retryable) == ("Sealed", True)


async def test_tokens_moved_to_another_row_do_not_open(stage: Stage, store: ConnectionStore) -> None:
    one, other = await connect(stage), await connect(stage, account="other@harbour.example")
    async with stage.database.tenant(stage.tenant.id) as connection:
        await connection.execute(
            "UPDATE connections SET sealed = (SELECT sealed FROM connections WHERE id = $1) WHERE id = $2",
            one.connection_id,
            other.connection_id,
        )
    with pytest.raises(ApplicationError, match="does not open it"):
        await store.tokens(stage.tenant.id, other.connection_id)
