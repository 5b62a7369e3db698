"""A digest that another application asks for: whose, about what, of which day, and once."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from activities.store.wishes import WishStore
from schemas.digests import Wishes
from tests.events.conftest import Gate
from tests.stage import Stage
from workflows import ids


def event(stage: Stage, **data: Any) -> dict[str, Any]:
    return {"name": "digest/generate.requested", "data": {"userId": stage.user.id, **data}}


async def rows(stage: Stage) -> list[dict[str, Any]]:
    async with stage.database.tenant(stage.tenant.id) as connection:
        return [dict(row) for row in await connection.fetch("SELECT user_id, day, topics, status FROM digests")]


@pytest.mark.parametrize("named", ["id", "email"])
async def test_it_is_begun_for_the_user_who_is_named(real: Gate, stage: Stage, named: str) -> None:
    who = getattr(stage.user, named).upper()
    status, _ = await real.post(event(stage, userId=who, policyInterests=[" healthcare ", "education"]))
    assert status == 200
    today = datetime.now(UTC).date()
    assert await rows(stage) == [
        {"user_id": stage.user.id, "day": today, "topics": ["healthcare", "education"], "status": "requested"}
    ]
    assert (await real.rows())[0]["workflow_id"] == ids.digest(stage.tenant.id, stage.user.id, today)


async def test_however_often_it_is_asked_for_there_is_one(real: Gate, stage: Stage) -> None:
    async with stage.working(brave_pace="unlimited"):
        answers = await asyncio.gather(*(real.post(event(stage, policyInterests=["school meals"])) for _ in range(10)))
        handle = stage.temporal.get_workflow_handle((await real.rows())[0]["workflow_id"])
        await asyncio.wait_for(handle.result(), 60)
        again = event(stage, policyInterests=["school meals"])
        assert (await real.post(again))[0] == 200, "when it is ready, too"

    assert {status for status, _ in answers} == {200}
    assert [(row["status"], row["topics"]) for row in await rows(stage)] == [("ready", ["school meals"])]
    assert sum("school+meals" in str(one["request"]) for one in stage.calls("brave")) == 1


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"userId": "test-user"}, "userId"),
        ({"userId": str(uuid4())}, "userId"),
        ({"userId": ""}, "userId"),
        ({"policyInterests": []}, "policyInterests"),
        ({"policyInterests": ["x"] * 11}, "policyInterests"),
        ({"policyInterests": ["x" * 81]}, "policyInterests"),
        ({"policyInterests": [" "]}, "policyInterests"),
        ({"policyInterests": ["a\0b"]}, "policyInterests"),
        ({"policyInterests": "healthcare"}, "policyInterests"),
        ({"date": "2020-01-01"}, "date"),
        ({"date": "soon"}, "date"),
    ],
)
async def test_what_cannot_be_is_refused_by_its_field(
    real: Gate, stage: Stage, data: dict[str, Any], field: str
) -> None:
    status, told = await real.post(event(stage, **data))
    assert status == 400
    assert f"data.{field}" in told["error"]
    assert await rows(stage) == []


async def test_it_is_of_the_day_that_it_is_where_its_user_is(real: Gate, stage: Stage) -> None:
    today = datetime.now(ZoneInfo(stage.user.time_zone)).date()
    asked = {"policyInterests": ["healthcare"]}
    status, told = await real.post(event(stage, date=(today + timedelta(days=1)).isoformat(), **asked))
    assert (status, "data.date" in told["error"]) == (400, True)
    assert (await real.post(event(stage, date=today.isoformat(), **asked)))[0] == 200
    assert [row["day"] for row in await rows(stage)] == [today]


async def test_of_nothing_there_is_no_digest(real: Gate, stage: Stage) -> None:
    status, told = await real.post(event(stage))
    assert (status, "data.policyInterests" in told["error"]) == (400, True)
    await WishStore(stage.database).wish(stage.tenant.id, stage.user.id, Wishes(sales=True))
    assert (await real.post(event(stage)))[0] == 200
