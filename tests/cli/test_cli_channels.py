"""greenroom channel: adds, lists, switches on and removes, and shows no address; greenroom sandbox messages reads."""

import io
import sys
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from activities.people import PersonKeys
from activities.sealing import Sealer
from activities.store.user_channels import UserChannelStore
from starter import contact
from tests.cli.conftest import Beside
from tests.stage import KEY, TOKEN_KEYS, Stage

CHAT = "420142014201"


@pytest.fixture
def there(wired: Stage, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setenv("GREENROOM_SANDBOX", "1")
    return wired


def store(stage: Stage) -> UserChannelStore:
    return UserChannelStore(stage.database, Sealer(TOKEN_KEYS), PersonKeys(KEY))


async def test_a_channel_has_a_life(there: Stage, beside: Beside) -> None:
    added = await beside("channel", "add", "telegram", CHAT, "--label", "My phone", "--json")
    assert added.code == 0, added.err
    channel_id = added.document["id"]
    assert CHAT not in added.out + added.err
    opened = await store(there).channel(there.tenant.id, channel_id)
    assert opened is not None and (opened.address, opened.kind) == (CHAT, "telegram")

    await store(there).off(there.tenant.id, channel_id, "the bot was blocked there", datetime.now(UTC))
    listed = await beside("channel", "list")
    assert "off: the bot was blocked there" in listed.out and CHAT not in listed.out
    assert (await beside("channel", "on", channel_id)).code == 0
    assert [one["status"] for one in (await beside("channel", "list", "--json")).document] == ["on"]
    assert (await beside("channel", "remove", channel_id)).code == 0
    assert (await beside("channel", "list", "--json")).document == []
    assert (await beside("channel", "remove", channel_id)).code == 3


async def test_a_new_channel_is_greeted(there: Stage, beside: Beside) -> None:
    chat = "420142014202"
    assert (await beside("channel", "add", "telegram", chat)).code == 0
    (came,) = [one for one in there.sandbox.messages.all() if one["to"] == chat]
    assert "You are told here from now on" in came["text"] and came["text"].endswith("/preferences")
    assert "sandbox data" in came["text"].lower()


@pytest.mark.parametrize(
    ("fault", "status", "said"),
    [
        ({"kind": "blocked"}, "off", "switched off: the bot was blocked there"),
        ({"kind": "status", "status": 500}, "on", "is told on telegram too"),
    ],
    ids=["blocked", "down"],
)
async def test_a_channel_that_cannot_be_greeted_is_kept(
    there: Stage, beside: Beside, fault: dict[str, Any], status: str, said: str
) -> None:
    there.sandbox.faults.put("telegram", **fault)
    added = await beside("channel", "add", "telegram", CHAT)
    assert (added.code, said in added.out) == (0, True), added.out + added.err
    assert [one["status"] for one in (await beside("channel", "list", "--json")).document] == [status]
    assert CHAT not in added.out + added.err


async def test_an_address_comes_on_stdin(there: Stage, beside: Beside, monkeypatch: pytest.MonkeyPatch) -> None:
    hook = f"{there.sandbox.slack_url}/services/T1/B1/hushhush"
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{hook}\nmore\n"))
    said = await beside("channel", "add", "slack", "-", "--json")
    assert said.code == 0 and "hush" not in said.out + said.err
    opened = await store(there).channel(there.tenant.id, said.document["id"])
    assert opened is not None and opened.address == hook


@pytest.mark.parametrize("words", [(), ("--label", "All of us")], ids=["alone", "with an option after it"])
async def test_a_group_s_number_begins_with_a_dash(there: Stage, beside: Beside, words: tuple[str, ...]) -> None:
    said = await beside("channel", "add", "telegram", "-1001234567890", *words, "--json")
    assert said.code == 0, said.err
    opened = await store(there).channel(there.tenant.id, said.document["id"])
    assert opened is not None and opened.address == "-1001234567890"
    assert (await beside("channel", "add", "telegram", "1", "--lable", "typo")).code == 2


async def test_the_same_address_is_the_same_channel(there: Stage, beside: Beside) -> None:
    first = await beside("channel", "add", "telegram", CHAT, "--json")
    again = await beside("channel", "add", "telegram", CHAT, "--label", "Newer", "--json")
    assert again.document["id"] == first.document["id"]
    assert [one["label"] for one in (await beside("channel", "list", "--json")).document] == ["Newer"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "telegram", "Robin"), "A chat is a number"),
        (("add", "slack", "https://evil.example/services/T0/B0/hush"), "looks like"),
        (("add", "telegram", "42", "--user", "nobody@nowhere.example"), "There is no user"),
        (("add", "telegram", "42", "--label", "x" * 61), "at most 60 letters"),
    ],
    ids=["a name", "another host", "nobody", "a long label"],
)
async def test_what_is_no_channel_is_a_sentence(
    there: Stage, beside: Beside, words: tuple[str, ...], said: str
) -> None:
    got = await beside("channel", *words)
    assert got.code != 0 and said in got.err and "Traceback" not in got.err and "hush" not in got.err
    assert await store(there).list(there.tenant.id, None) == ()


async def test_a_channel_that_is_not_there_is_a_sentence(there: Stage, beside: Beside) -> None:
    for words in (("remove", str(uuid4())), ("on", "nonsense")):
        got = await beside("channel", *words)
        assert (got.code, "There is no such channel" in got.err) == (3, True)


async def test_what_arrived_is_read(there: Stage, beside: Beside) -> None:
    assert "No message" in (await beside("sandbox", "messages", "--to", CHAT)).out
    there.sandbox.messages.keep("telegram", CHAT, "Written for you\n\x1b[31mRead it")
    got = await beside("sandbox", "messages", "--to", CHAT)
    assert "Written for you" in got.out and "\x1b" not in got.out
    assert len((await beside("sandbox", "messages", "--to", CHAT, "--json")).document["messages"]) == 1


async def test_the_doctor_asks_the_bot_who_it_is(there: Stage) -> None:
    well = await contact.channels(there.settings())
    assert well.ok and "greenroom_sandbox_bot" in well.said and "SANDBOX DATA" in well.said
    url = there.sandbox.telegram_url
    wrong = await contact.channels(there.settings(telegram_token="hush", telegram_base_url=url))
    assert not wrong.ok and "401" in wrong.said and "hush" not in str(wrong)
    nobody = await contact.channels(there.settings(sandbox=False))
    assert nobody.ok and nobody.warning
