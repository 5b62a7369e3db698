"""The way in to an account: a good token for everybody, refreshed once, and none once the account is lost."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from temporalio.exceptions import ApplicationError

from activities import access as module
from activities.access import Access
from activities.pacing import Pacing
from activities.ports import Grant, Page, Place
from activities.providers.google import GoogleCalendar
from activities.providers.google_accounts import GoogleAccounts
from activities.store.connections import Connected
from activities.store.paces import PaceStore
from schemas.providers import Google, Pace
from tests.stage import ACCOUNT, Stage

EVERYTHING = Place(None, None, None)


class Office:
    """A connected account, and workers that want to read its calendar."""

    def __init__(self, stage: Stage, connected: Connected, session: aiohttp.ClientSession) -> None:
        self.stage = stage
        self.connected = connected
        self.pretended = Google.pretended(stage.sandbox.google_url)
        self.calendar = GoogleCalendar(self.pretended, notifications_url="http://127.0.0.1:1/", channel_s=600)
        self.accounts = GoogleAccounts(session, self.pretended, timeout_s=2)

    def worker(self, **paces: Pace) -> Access:
        pacing = Pacing(PaceStore(self.stage.database), {name.replace("_", "/"): pace for name, pace in paces.items()})
        return Access(self.stage.connections(), self.accounts, pacing)

    async def read(self, worker: Access | None = None) -> Page:
        return await (worker or self.worker()).call(
            self.stage.tenant.id,
            self.connected.connection_id,
            lambda token: self.calendar.events(token, ACCOUNT, EVERYTHING),
        )

    async def age(self, left: timedelta) -> None:
        """As our row tells it: the provider's own clock is not asked."""
        async with self.stage.database.tenant(self.stage.tenant.id) as connection:
            await connection.execute("UPDATE connections SET expires_at = $1", datetime.now(UTC) + left)

    async def row(self) -> dict[str, Any]:
        async with self.stage.database.tenant(self.stage.tenant.id) as connection:
            row = await connection.fetchrow("SELECT * FROM connections")
            assert row is not None
            return dict(row)

    async def refresh_token(self) -> str:
        known = self.stage.tenant.id, self.connected.connection_id
        return (await self.stage.connections().tokens(*known)).refresh_token

    def calls(self, about: str = "") -> list[str]:
        records = self.stage.sandbox.journal.records(provider="google")
        return [call["about"] for call in records if about in call["about"]]


@pytest.fixture
async def office(stage: Stage) -> AsyncIterator[Office]:
    connected = await stage.connect()
    async with aiohttp.ClientSession() as session:
        office = Office(stage, connected, session)
        yield office
        office.calendar.close()


async def test_a_token_that_is_good_is_used_as_it_is(office: Office) -> None:
    assert (await office.read()).sync_token
    assert office.calls() == ["events.list:full"]


@pytest.mark.parametrize(("left", "refreshes"), [(-60, 1), (0, 1), (220, 1), (240, 0)])
async def test_a_token_is_refreshed_before_it_is_over(office: Office, left: int, refreshes: int) -> None:
    await office.age(timedelta(seconds=left))
    await office.read()
    assert office.calls("token") == ["token:refresh"] * refreshes
    await office.read()
    assert len(office.calls("token")) == refreshes, "and then it is good for a while"


async def test_many_workers_that_want_a_new_token_refresh_it_once(office: Office) -> None:
    await office.age(timedelta())
    office.stage.sandbox.delays["google"] = 0.3
    pages = await asyncio.gather(*(office.read(office.worker()) for _ in range(10)))

    assert all(page.sync_token for page in pages)
    assert office.calls("token") == ["token:refresh"]
    assert (await office.row())["refreshing_until"] is None


async def test_many_workers_whose_token_is_refused_refresh_it_once(office: Office) -> None:
    office.stage.sandbox.google.expire_access_tokens(ACCOUNT)
    await asyncio.gather(*(office.read(office.worker()) for _ in range(10)))
    assert office.calls("token") == ["token:refresh"]


@pytest.mark.parametrize("skew", [timedelta(minutes=10), timedelta(minutes=-10)])
async def test_clocks_may_be_ten_minutes_apart(office: Office, skew: timedelta) -> None:
    """Their token is over when ours still has minutes to go, or the other way round."""
    await office.age(timedelta(minutes=5))
    office.stage.sandbox.world.clock.set(datetime.now(UTC) + timedelta(minutes=56) + skew)
    for _ in range(3):
        assert (await office.read()).sync_token
    assert len(office.calls("token")) <= 1


async def test_a_new_refresh_token_is_kept_and_serves_the_next_time(office: Office) -> None:
    google = office.stage.sandbox.google
    google.rotate_refresh_tokens = google.rotation_ends_old = True
    for _ in range(3):
        before = await office.refresh_token()
        await office.age(timedelta())
        await office.read()
        assert await office.refresh_token() not in ("", before)
    assert google.refresh_tokens(ACCOUNT) == [await office.refresh_token()]


async def test_a_cancelled_worker_still_keeps_the_refresh_token_that_came_back(office: Office) -> None:
    google = office.stage.sandbox.google
    google.rotate_refresh_tokens = google.rotation_ends_old = True
    office.stage.sandbox.delays["google"] = 0.5
    await office.age(timedelta())
    reading = asyncio.create_task(office.read())
    await asyncio.sleep(0.2)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading

    office.stage.sandbox.delays["google"] = 0
    assert google.refresh_tokens(ACCOUNT) == [await office.refresh_token()]
    assert (await office.read()).sync_token


async def test_a_revoked_account_is_lost_once_and_never_called_again(office: Office) -> None:
    office.stage.sandbox.google.revoke(ACCOUNT)
    for _ in range(3):
        with pytest.raises(ApplicationError) as raised:
            await office.read()
        assert (raised.value.type, raised.value.non_retryable) == ("ReauthRequired", True)

    assert (await office.row())["status"] == "reauth_required"
    assert office.calls() == ["events.list:full", "token:refresh"]


async def test_many_workers_lose_a_revoked_account_with_one_refresh(office: Office) -> None:
    office.stage.sandbox.google.revoke(ACCOUNT)
    ended = await asyncio.gather(*(office.read(office.worker()) for _ in range(5)), return_exceptions=True)
    assert {getattr(error, "type", None) for error in ended} == {"ReauthRequired"}
    assert office.calls("token") == ["token:refresh"]


async def test_a_fresh_token_that_is_refused_is_as_good_as_lost(office: Office) -> None:
    office.stage.sandbox.faults.put("google", "status", status=401, match="/events", times=2)
    with pytest.raises(ApplicationError, match="lets us in no more"):
        await office.read()
    assert office.calls() == ["events.list:full", "token:refresh", "events.list:full"]


async def test_a_reconnection_during_a_failing_refresh_is_not_undone(office: Office) -> None:
    google, stage = office.stage.sandbox.google, office.stage
    await office.age(timedelta())
    google.revoke(ACCOUNT)
    stage.sandbox.delays["google"] = 0.5
    reading = asyncio.create_task(office.read())
    await asyncio.sleep(0.2)
    await stage.connect()

    assert (await reading).sync_token, "the new grant serves the very call that was under way"
    assert (await office.row())["status"] == "active"


async def test_a_connection_that_was_given_up_is_told_apart_and_not_called(office: Office) -> None:
    await office.stage.connections().disconnect(
        office.stage.tenant.id, office.connected.connection_id, datetime.now(UTC)
    )
    with pytest.raises(ApplicationError) as raised:
        await office.read()
    assert raised.value.type == "Disconnected"
    assert office.calls() == []


async def test_a_refresh_that_fails_for_now_is_left_to_the_next(office: Office) -> None:
    await office.age(timedelta())
    office.stage.sandbox.faults.put("google", "status", status=503)
    with pytest.raises(ApplicationError) as raised:
        await office.read()
    assert (raised.value.type, raised.value.non_retryable) == ("ProviderDown", False)

    row = await office.row()
    assert (row["status"], row["refreshing_until"]) == ("active", None)
    assert (await office.read()).sync_token


async def test_a_dead_worker_s_lease_runs_out(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEASE", timedelta(seconds=1))
    await office.age(timedelta())
    now = datetime.now(UTC)
    known = office.stage.tenant.id, office.connected.connection_id
    assert await office.stage.connections().lease(*known, 1, until=now + timedelta(seconds=1), now=now)

    async with asyncio.timeout(4):
        assert (await office.read()).sync_token
    assert datetime.now(UTC) - now >= timedelta(seconds=1)
    assert office.calls("token") == ["token:refresh"]


async def test_without_a_refresh_token_the_account_is_lost_when_its_token_is_over(office: Office) -> None:
    stage = office.stage
    access = stage.sandbox.google.access(ACCOUNT)
    connected = await stage.connections().connect(
        stage.tenant.id,
        stage.user.id,
        "else@harbour.example",
        Grant(access, None, 10),
        provider="google",
        sandbox=True,
        now=datetime.now(UTC),
    )
    with pytest.raises(ApplicationError, match="lets us in no more"):
        await office.worker().call(stage.tenant.id, connected.connection_id, _never)
    assert office.calls() == []


async def _never(_token: str) -> None:
    raise AssertionError("asked")


async def test_each_user_has_a_pace_of_their_own_and_all_share_one(office: Office) -> None:
    own = office.worker(google_user=Pace(per_window=1, window_s=1))
    other = await office.stage.connections().connect(
        office.stage.tenant.id,
        office.stage.user.id,
        "else@harbour.example",
        Grant("a", "r", 3600),
        provider="google",
        sandbox=True,
        now=datetime.now(UTC),
    )
    loop = asyncio.get_running_loop()
    moments: list[tuple[str, float]] = []

    async def note(connection_id: str, _token: str) -> None:
        moments.append((connection_id, loop.time()))

    async def ask(connection_id: str) -> None:
        await own.call(office.stage.tenant.id, connection_id, lambda token: note(connection_id, token))

    began = loop.time()
    mine, theirs = office.connected.connection_id, other.connection_id
    await asyncio.gather(ask(mine), ask(mine), ask(theirs))

    first, second = sorted(at for one, at in moments if one == mine)
    assert second - first >= 1
    assert next(at for one, at in moments if one == theirs) - began < 0.9, "nobody waits for another's turn"


async def test_what_the_provider_said_before_does_not_hide_that_the_account_is_lost(office: Office) -> None:
    """A failure is told by the deepest of its causes."""
    office.stage.sandbox.google.revoke(ACCOUNT)
    with pytest.raises(ApplicationError) as raised:
        await office.read()
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__ or raised.value.__context__ is None
