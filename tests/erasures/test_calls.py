"""Whoever is forgotten is in no call either: nor in what was sent by other applications."""

from datetime import UTC, datetime

import pytest

from activities.people import PersonKeys
from activities.store.calls import CallStore
from activities.store.dossiers import DossierStore
from activities.transcripts.ports import NewCall, Taken
from schemas.transcripts import Source, Speaker, Spoken, Turn
from tests.diary import ADA, TOMAS
from tests.erasures.people import NAME, dump, erased, key_of
from tests.stage import KEY, Stage

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
ROBIN = Speaker(key="Robin", name="Robin Marsh", email="robin@harbour.example")
HERS = Speaker(key="Ada", name=NAME, email=ADA)
THEIRS = Speaker(key="Tomas", name="Tomas Lind", email=TOMAS)


def spoken(words: str, *there: Speaker) -> Spoken:
    turns = tuple(Turn(speaker=one.key, start_ms=1000, end_ms=2000, text=words) for one in there)
    return Spoken(format="plain", speakers=there, turns=turns)


async def take(stage: Stage, key: str, said: Spoken, title: str = "Forecasts") -> Taken:
    call = NewCall(source=Source.RECORDER, source_key=key, title=title, started_at=NOW)
    return await CallStore(stage.database, PersonKeys(KEY)).take(stage.tenant.id, call, said, NOW)


@pytest.fixture
async def calls(stage: Stage) -> dict[str, str]:
    """One that she was in, one in which she was spoken of, and one that is about others."""
    told = {
        "hers": await take(stage, "1", spoken("We lose an hour a day", ROBIN, HERS), "Forecasts with Ada"),
        "named": await take(stage, "2", spoken("Ask Ada Lovelace about it", ROBIN, THEIRS)),
        "others": await take(stage, "3", spoken("The depots are full", ROBIN, THEIRS)),
    }
    async with stage.database.tenant(stage.tenant.id) as connection:
        for statement in (
            """
            INSERT INTO findings (tenant_id, call_id, position, kind, text, owner, speaker, quote, at_ms)
            SELECT current_tenant(), $1, 1, 'next_step', 'Send Ada Lovelace the numbers', 'Ada Lovelace', 'Robin', 'x', 1
            WHERE $1::uuid IS NOT NULL
            """,
            """
            INSERT INTO records (tenant_id, collection, key, data, created_at)
            SELECT current_tenant(), 'people', $1::uuid::text, '{"ada+x@lovelace.example": {"seen": true}}', '2026-01-01'
            """,
            """
            INSERT INTO received (tenant_id, key, name, state, payload, received_at)
            SELECT current_tenant(), $1::uuid::text, 'record/entity.created', 'parked',
              '{"name": "\\u0041da Lovelace", "odd": "\\u0000"}'::json, '2026-01-01'
            """,
            """
            INSERT INTO letters (tenant_id, user_id, subject, body, created_at)
            SELECT current_tenant(), id, 'About ' || 'Ada Lovelace', 'Call her', '2026-01-01' FROM users
            WHERE $1::uuid IS NOT NULL
            """,
        ):
            assert await connection.execute(statement, told["hers"].call_id) == "INSERT 0 1"
    return {name: one.call_id for name, one in told.items()}


async def rows(stage: Stage, table: str) -> list[dict[str, object]]:
    async with stage.database.tenant(stage.tenant.id) as connection:
        return [dict(row) for row in await connection.fetch(f"SELECT * FROM {table}")]


async def test_calls_are_emptied_and_do_not_come_back(stage: Stage, calls: dict[str, str]) -> None:
    before = await dump(stage)
    assert ADA in before and NAME.lower() in before
    async with stage.working():
        report = await erased(stage)
    again = await take(stage, "1", spoken("We lose an hour a day", ROBIN, HERS), "Forecasts with Ada")
    after = await dump(stage)

    for trace in (ADA, "ada+x", NAME.lower(), "with ada"):
        assert trace not in after, trace
    assert (again.call_id, again.new) == (calls["hers"], False)
    left = {row["id"]: (row["status"], row["failed_step"]) for row in await rows(stage, "calls")}
    assert left == {
        calls["hers"]: ("failed", "erased"),
        calls["named"]: ("failed", "erased"),
        calls["others"]: ("waiting", None),
    }
    assert [row["call_id"] for row in await rows(stage, "transcripts")] == [calls["others"]]
    assert report.counts["calls, emptied"] == 2
    assert (
        report.counts["records"] == report.counts["mails asked for"] == report.counts["events that came, emptied"] == 1
    )


async def test_a_new_call_with_somebody_who_was_forgotten_is_not_kept(stage: Stage) -> None:
    async with stage.working():
        await erased(stage)
    taken = await take(stage, "9", spoken("Here I am again", ROBIN, HERS))

    (row,) = await rows(stage, "calls")
    assert (row["id"], row["status"], row["failed_step"]) == (taken.call_id, "failed", "erased")
    assert await rows(stage, "transcripts") == await rows(stage, "speakers") == []
    assert ADA not in await dump(stage)


async def test_what_is_kept_of_calls_is_in_the_export(stage: Stage, calls: dict[str, str]) -> None:
    found = await DossierStore(stage.database).dossier(stage.tenant.id, ADA, key_of(stage))

    assert {one.id: one.words for one in found.calls} == {calls["hers"]: ("We lose an hour a day",), calls["named"]: ()}
    assert sorted(one.kind for one in found.came) == ["mail", "record", "record/entity.created"]
    assert not found.empty
