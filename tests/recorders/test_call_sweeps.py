"""Calls of which nobody told are found, once each; and a recorder that lets us in no more is left alone, and says so."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.recorders import OVERLAP
from schemas.recorders import Fetched, Fetching, Sweeping, Swept
from tests.recorders.conftest import Scene

HOUR = timedelta(hours=1)


async def sweep(scene: Scene, **paces: str) -> Swept:
    """As its activity does it."""
    order = Sweeping(tenant_id=scene.stage.tenant.id, recorder_id=scene.recorder_id, now=datetime.now(UTC))
    return await ActivityEnvironment().run(scene.activities(**paces).sweep, order)


async def fetch(scene: Scene, call_id: str, **paces: str) -> Fetched:
    order = Fetching(tenant_id=scene.stage.tenant.id, call_id=call_id, now=datetime.now(UTC))
    return await ActivityEnvironment().run(scene.activities(**paces).fetch, order)


async def failure(work: Any) -> ApplicationError:
    with pytest.raises(ApplicationError) as raised:
        await work
    return raised.value


async def spoken(scene: Scene) -> list[dict[str, Any]]:
    async with scene.stage.database.tenant(scene.stage.tenant.id) as connection:
        return [dict(row) for row in await connection.fetch("SELECT * FROM transcripts")]


async def test_a_sweep_takes_what_nobody_told_of_and_has_it_read(scene: Scene) -> None:
    await scene.connect()
    scene.gong.record("Halden")
    scene.gong.record("Brightwater")
    async with scene.working():
        swept = await scene.sweep()

    rows = await scene.rows()
    assert (swept.swept, swept.failed, swept.taken) == (1, 0, 2)
    assert {row["source_key"] for row in rows} == set(scene.gong.recordings)
    assert {row["recorder_id"] for row in rows} == {scene.recorder_id}
    assert {row["sandbox"] for row in rows} == {True}
    assert sorted(scene.bell.rung) == sorted((scene.stage.tenant.id, row["id"]) for row in rows)


async def test_nothing_recorded_is_no_failure(scene: Scene) -> None:
    """It comes as a 404."""
    await scene.connect()
    assert await sweep(scene) == Swept()
    assert (await scene.row()).swept_until is not None


async def test_pages_are_followed_to_their_end(scene: Scene) -> None:
    await scene.connect()
    scene.gong.page_size = 7
    scene.gong.flood(30)
    assert await sweep(scene) == Swept(seen=30, taken=30, rung=30)
    assert len(scene.asked("list")) == 5
    assert len(await scene.rows()) == 30


async def test_a_second_sweep_looks_at_a_day_again_and_takes_nothing_twice(scene: Scene) -> None:
    await scene.connect()
    scene.gong.flood(3)
    await sweep(scene)
    await scene.put("UPDATE calls SET status = 'parsed'")
    before = (await scene.row()).swept_until
    assert await sweep(scene) == Swept(seen=3, taken=0, rung=0)
    after = (await scene.row()).swept_until
    assert before is not None and after is not None and after > before
    assert len(scene.bell.rung) == 3


async def test_what_was_taken_and_not_rung_for_is_rung_for_by_the_next(scene: Scene) -> None:
    await scene.connect()
    scene.gong.flood(2)
    scene.bell.away = RuntimeError("Temporal is away")
    with pytest.raises(RuntimeError):
        await sweep(scene)
    assert (await scene.row()).swept_until is not None
    scene.bell.away = None
    assert (await sweep(scene)).rung == 2
    assert len(await scene.rows()) == 2


async def test_a_sweep_goes_back_to_where_the_last_one_ended_and_a_day(scene: Scene) -> None:
    now = datetime.now(UTC)
    await scene.connect(now=now - 3 * HOUR)
    await sweep(scene)
    request = scene.stage.sandbox.journal.records(provider="gong")[-1]["request"]
    since = (now - 3 * HOUR - OVERLAP).strftime("%Y-%m-%dT%H")
    assert f"fromDateTime={since}" in request.replace("%3A", ":")


async def test_a_page_that_leads_to_itself_ends_the_sweep(scene: Scene) -> None:
    await scene.connect()
    scene.gong.flood(2)
    before = (await scene.row()).swept_until
    scene.stage.sandbox.faults.put("gong", "endless", times=None)
    assert (await failure(sweep(scene))).type == "ProviderNonsense"
    assert len(scene.asked("list")) <= 3
    assert (await scene.row()).swept_until == before, "it has not been looked through"


async def test_a_key_that_is_refused_is_not_tried_again(scene: Scene) -> None:
    await scene.connect("another:key")
    error = await failure(sweep(scene))
    row = await scene.row()
    assert (error.type, error.non_retryable) == ("ReauthRequired", True)
    assert (row.status, row.reason) == ("refused", "its key was refused")
    assert (await failure(sweep(scene))).type == "ReauthRequired"
    assert len(scene.asked()) == 1
    async with scene.working():
        assert (await scene.sweep()).swept == 0


async def test_whoever_connects_anew_meanwhile_is_not_refused_for_the_old_key(scene: Scene) -> None:
    await scene.connect("another:key")
    old = await scene.store.recorder(scene.stage.tenant.id, scene.recorder_id)
    await scene.connect()
    assert not await scene.store.refused(scene.stage.tenant.id, scene.recorder_id, old.version, "late")
    assert (await scene.row()).status == "active"


async def test_one_that_was_given_up_is_not_asked(scene: Scene) -> None:
    await scene.connect()
    assert await scene.store.disconnect(scene.stage.tenant.id, "gong")
    assert not await scene.store.disconnect(scene.stage.tenant.id, "gong")
    assert (await failure(sweep(scene))).type == "Disconnected"
    assert scene.asked() == []
    assert await scene.store.find(scene.recorder_id) is None


async def test_a_recorder_that_is_connected_again_keeps_its_id_and_its_place(scene: Scene) -> None:
    now = datetime.now(UTC)
    first = await scene.connect(now=now - 9 * HOUR)
    assert await scene.connect(now=now) == first
    assert (await scene.row()).swept_until == now - 9 * HOUR, "what was missed is looked for"
    await scene.store.disconnect(scene.stage.tenant.id, "gong")
    assert await scene.connect(now=now) == first
    assert (await scene.row()).swept_until == now, "what was recorded meanwhile is nobody's business"


async def test_credentials_are_sealed_and_never_print(scene: Scene) -> None:
    await scene.connect()
    async with scene.stage.database.tenant(scene.stage.tenant.id) as connection:
        row = await connection.fetchrow("SELECT * FROM recorders")
    found = await scene.store.recorder(scene.stage.tenant.id, scene.recorder_id)
    assert found.access.credentials.endswith("sandbox-access-secret")
    assert b"sandbox-access" not in row["sealed"]
    assert "sandbox-access" not in f"{dict(row)} {found!r} {found.access!r}"


async def test_a_transcript_is_fetched_with_who_spoke(scene: Scene) -> None:
    await scene.connect()
    scene.gong.record("Halden")
    await sweep(scene)
    (call,) = await scene.rows()
    assert await fetch(scene, call["id"]) == Fetched(ready=True)

    (kept,) = await spoken(scene)
    async with scene.stage.database.tenant(scene.stage.tenant.id) as connection:
        speakers = {row["key"]: row for row in await connection.fetch("SELECT * FROM speakers")}
    (recording,) = scene.gong.recordings.values()
    first = recording.call.sentences[0]
    assert (kept["format"], kept["timed"]) == ("gong", True)
    who, start, _, text, _times = kept["turns"][0]
    assert (start, text.startswith(first.text)) == (first.start_ms, True), "milliseconds"
    assert speakers[who]["name"] == first.speaker
    assert {row["ours"] for row in speakers.values()} == {True, False}
    assert kept["turns"][-1][2] // 1000 <= call["duration_s"]


async def test_a_transcript_that_is_not_ready_is_no_failure_and_costs_one_call(scene: Scene) -> None:
    await scene.connect()
    scene.gong.record("Halden", not_ready_for=3600)
    await sweep(scene)
    (call,) = await scene.rows()
    assert await fetch(scene, call["id"]) == Fetched(ready=False)
    assert len(scene.asked("transcript")) == 1
    assert len(scene.asked("extensive")) == 0
    assert await spoken(scene) == []


async def test_a_fetch_that_is_done_twice_keeps_one_transcript(scene: Scene) -> None:
    await scene.connect()
    scene.gong.record("Halden")
    await sweep(scene)
    (call,) = await scene.rows()
    assert await asyncio.gather(fetch(scene, call["id"]), fetch(scene, call["id"])) == [Fetched(ready=True)] * 2
    assert len(await spoken(scene)) == 1


async def test_a_call_that_nobody_recorded_is_not_fetched(scene: Scene) -> None:
    await scene.connect()
    scene.gong.record("Halden")
    await sweep(scene)
    (call,) = await scene.rows()
    await scene.put("UPDATE calls SET recorder_id = NULL")
    assert (await failure(fetch(scene, call["id"]))).type == "NotFound"
    assert (await failure(fetch(scene, scene.recorder_id))).type == "NotFound"


async def test_a_long_wait_is_as_good_as_a_transcript_that_is_not_there(scene: Scene) -> None:
    """Hours, when a day's calls are spent: it is waited for where that costs nothing."""
    await scene.connect()
    scene.gong.record("Halden")
    await sweep(scene)
    (call,) = await scene.rows()
    scene.stage.sandbox.faults.put("gong", "status", status=429, retry_after="20000", match="/transcript")
    assert await fetch(scene, call["id"]) == Fetched(ready=False)
    scene.stage.sandbox.faults.put("gong", "status", status=429, retry_after="2", match="/transcript")
    error = await failure(fetch(scene, call["id"]))
    assert (error.type, error.next_retry_delay) == ("ProviderLimited", timedelta(seconds=2))


async def test_a_day_that_is_spent_is_not_waited_for_in_a_slot_and_loses_no_turn(scene: Scene) -> None:
    await scene.connect()
    scene.gong.flood(1)
    pace = "3/86400s"
    await sweep(scene, gong_day_pace=pace)
    (call,) = await scene.rows()
    assert await fetch(scene, call["id"], gong_day_pace=pace) == Fetched(ready=True)
    for _ in range(3):
        assert await fetch(scene, call["id"], gong_day_pace=pace) == Fetched(ready=False)
    error = await failure(sweep(scene, gong_day_pace=pace))
    assert (error.type, error.next_retry_delay) == ("ProviderLimited", timedelta(minutes=15))
    assert len(scene.asked()) == 3
    async with scene.stage.database.untenanted() as connection:
        starts = await connection.fetchval(
            "SELECT starts FROM paces WHERE provider = $1", f"gong/day/{scene.recorder_id}"
        )
    assert max(starts) < datetime.now(UTC) + timedelta(minutes=1), "nothing was reserved and not used"


async def test_one_company_s_pace_holds_up_no_other(scene: Scene) -> None:
    activities = scene.activities(gong_pace="1/3600s")
    await asyncio.wait_for(activities._turn("first"), 5)
    await asyncio.wait_for(activities._turn("second"), 5)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(activities._turn("first"), 0.5)


async def test_a_failed_recorder_is_counted_and_the_others_are_swept(scene: Scene) -> None:
    await scene.connect()
    scene.gong.flood(1)
    scene.stage.sandbox.faults.put("gong", "status", status=400, times=1)
    async with scene.working():
        failed = await scene.sweep()
        swept = await scene.sweep()
    assert (failed.swept, failed.failed) == (0, 1)
    assert (swept.swept, swept.failed, swept.taken) == (1, 0, 1)
