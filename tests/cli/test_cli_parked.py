"""What could not be done is listed with its reason, and tried again when somebody says so."""

import json
from datetime import UTC, datetime
from uuid import uuid4

from tests.batches.scene import NAME, POISON, Collection
from tests.cli.conftest import Beside, Greenroom
from tests.stage import Stage
from workflows import ids


async def test_a_parked_event_is_listed_put_back_and_done(wired: Stage, beside: Beside) -> None:
    collection = Collection(wired)
    poison = await collection.received(1, data=POISON)
    async with wired.working():
        await (await collection.collect([poison.model_copy(update={"urgent": True})])).result()
        (listed,) = (await beside("events", "parked", "--json")).document
        assert (listed["id"], listed["name"], listed["kept"]) == (poison.received_id, NAME, True)
        assert listed["reason"] == "a text in it has a character that cannot be kept"
        shown = await beside("events", "parked")
        assert poison.received_id in shown.out and "cannot be kept" in shown.out
        assert "secret" not in shown.out + str(listed)

        mended = json.dumps({"collection": "people", "key": "mended", "data": {}})
        await collection.rows("UPDATE received SET payload = $1", mended)
        said = await beside("events", "retry", poison.received_id)
        assert (said.code, said.out) == (0, "It is collected again\n")
        await wired.temporal.get_workflow_handle(ids.batch(wired.tenant.id, NAME)).result()
    assert await collection.records() == {"mended": {}}
    assert (await beside("events", "parked", "--json")).document == []


async def test_what_was_never_collected_is_listed_and_not_put_back(wired: Stage, beside: Beside) -> None:
    """Its words are not kept: whoever sent it sends it again."""
    collection = Collection(wired)
    row = await collection.received(1, state="parked")
    await collection.rows("UPDATE received SET payload = NULL, reason = 'There is no such call'")
    assert "There is no such call" in (await beside("events", "parked")).out
    said = await beside("events", "retry", row.received_id)
    assert (said.code, said.out) == (3, "")
    assert "no such parked event" in said.err
    assert await collection.states() == {"parked": 1}


async def test_of_another_tenant_nothing_is_put_back(wired: Stage, beside: Beside) -> None:
    other = Collection(Stage(wired.database, wired.temporal, wired.sandbox, wired.urls, tenant_id=str(uuid4())))
    await other.stage.set_up(datetime.now(UTC))
    row = await other.received(1, state="parked")
    assert (await beside("events", "retry", row.received_id)).code == 3
    assert (await beside("events", "parked", "--json")).document == []
    assert await other.states() == {"parked": 1}


def test_what_is_no_id_is_refused(wired: Stage, greenroom: Greenroom) -> None:
    said = greenroom("events", "retry", "' OR 1=1")
    assert (said.code, said.out) == (2, "")
    assert "is no id" in said.err
