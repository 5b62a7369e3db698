"""greenroom events endpoint, redeliver and tail: as a person has them."""

from pathlib import Path
from uuid import uuid4

import pytest

from schemas.settings import Settings
from starter.dev.stack import Plan, Stack
from tests.cli.conftest import Beside, beside, folder, greenroom, wired
from tests.deliveries.receiver import Receiver, Tenant
from tests.stage import Stage

__all__ = ["beside", "folder", "greenroom", "wired"]
PLACE = "https://hooks.acme.example/greenroom"


@pytest.fixture
def there(wired: Stage, monkeypatch: pytest.MonkeyPatch) -> Tenant:
    monkeypatch.setenv("GREENROOM_PRIVATE_ENDPOINTS", "1")
    return Tenant(wired)


async def test_an_endpoint_is_set_shown_rotated_and_switched_off(wired: Stage, beside: Beside) -> None:
    none = await beside("events", "endpoint")
    made = await beside("events", "endpoint", PLACE, "--json")
    shown = await beside("events", "endpoint")
    moved = await beside("events", "endpoint", PLACE + "/2", "--json")
    rotated = await beside("events", "endpoint", "--rotate")
    off = await beside("events", "endpoint", "--off")
    gone = await beside("events", "endpoint", "--off")

    assert (none.code, "There is no endpoint" in none.err) == (3, True)
    secret = made.document["secret"]
    assert secret.startswith("whsec_")
    assert (made.document["url"], made.document["status"]) == (PLACE, "active")
    assert (PLACE in shown.out, secret in shown.out + shown.err) == (True, False), "it is shown once"
    assert (moved.document["url"], "secret" in moved.document) == (PLACE + "/2", False)
    assert ("whsec_" in rotated.out, secret in rotated.out) == (True, False)
    assert (off.code, gone.code) == (0, 3)
    await wired.temporal.get_workflow_handle(f"delivery/{wired.tenant.id}/endpoint").terminate()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("endpoint", "http://hooks.acme.example/"), "it is not https"),
        (("endpoint", "http://127.0.0.1:9000/"), "; GREENROOM_PRIVATE_ENDPOINTS=true allows it in development"),
        (("endpoint", "https://169.254.169.254/"), "not on the public internet"),
        (("endpoint", "https://0x7f.1/"), "no plain address"),
        (("endpoint", "https://me:canary@hooks.acme.example/"), "no plain address"),
        (("endpoint", "nonsense"), "no plain address"),
        (("endpoint", PLACE, "--off"), "--off takes neither"),
        (("redeliver",), "Name one event"),
        (("redeliver", str(uuid4()), "--parked"), "Name one event"),
        (("redeliver", "--since", "-1"), "--since"),
        (("redeliver", "5; DROP TABLE events"), "is no id of an event"),
    ],
)
async def test_bad_input_is_one_sentence_and_stores_nothing(
    wired: Stage, beside: Beside, words: tuple[str, ...], said: str
) -> None:
    ended = await beside("events", *words)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert ended.err.count("\n") == 1
    assert "canary" not in ended.err
    assert await wired.count("endpoints") == 0


async def test_what_is_not_there_is_not_found(there: Tenant, receiver: Receiver, beside: Beside) -> None:
    assert (await beside("events", "redeliver", "--parked")).code == 3
    await there.hears_at(receiver)
    unknown = await beside("events", "redeliver", str(uuid4()))
    assert (unknown.code, "There is no such event" in unknown.err) == (3, True)
    await there.sql("UPDATE endpoints SET status = 'refused'")
    assert (await beside("events", "redeliver", "--since", "0")).code == 2


async def test_events_are_told_again_under_their_ids_and_tail_says_how_they_stand(
    there: Tenant, receiver: Receiver, beside: Beside
) -> None:
    unheard = await there.happened()
    await there.hears_at(receiver)
    happened = await there.happened(2)
    await there.sql(
        "UPDATE events SET delivery = 'parked', attempts = 5, refusal = 'the endpoint said 422' WHERE id = $1",
        happened[0],
    )
    before = await beside("events", "tail")
    stands = await beside("events", "endpoint")
    first = (await there.rows())[0]["sequence"]
    async with there.stage.working(private_endpoints=True):
        parked = await beside("events", "redeliver", "--parked", "--json")
        await there.told_all()
        assert receiver.ids() == happened
        one = await beside("events", "redeliver", happened[1].upper())
        await there.told_all()
        assert receiver.ids() == [*happened, happened[1]]
        everything = await beside("events", "redeliver", "--since", str(first - 1), "--json")
        await there.told_all()
    after = await beside("events", "tail", "--json")

    lines = before.out.splitlines()
    assert "}  parked, tries 5: the endpoint said 422" in lines[1]
    assert "Parked: 1. The last refusal: the endpoint said 422; " in stands.out
    assert "greenroom events redeliver --parked" in stands.out
    assert ("pending" in lines[2], "pending" in lines[0]) == (True, False)
    assert (parked.document, "1 to be posted again" in one.out) == ({"pending": 1}, True)
    assert everything.document == {"pending": 3}
    assert receiver.ids()[3:] == [*unheard, *happened]
    assert after.out.count('"delivery":"delivered"') == 3


def test_the_development_stack_lets_endpoints_be_near_unless_the_user_does_not(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / ".greenroom").mkdir()
    Stack(Plan.read(), folder / ".greenroom")._leave()

    assert Settings().private_endpoints
    monkeypatch.setenv("GREENROOM_PRIVATE_ENDPOINTS", "false")
    assert not Settings().private_endpoints


async def test_without_temporal_it_is_stored_and_said(
    there: Tenant, beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    made = await beside("events", "endpoint", PLACE, "--json")
    assert (made.code, made.document["url"]) == (0, PLACE)
    assert "done once Temporal answers" in made.err
