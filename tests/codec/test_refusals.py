"""Nothing that speaks with Temporal starts without a key, unless it was told to; and what cannot be read is said."""

from pathlib import Path

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import Client

from starter import codec
from starter.dev import files
from starter.dev.stack import Plan, Stack
from starter.errands import answered
from starter.words import FailedError
from tests.cli.conftest import Beside, Greenroom
from tests.codec.keys import NEW, OLD, client, sealing, settings
from tests.stage import KEY, TOKEN_KEYS, Stage

WELL = {
    "GREENROOM_SANDBOX": "1",
    "GREENROOM_HASH_KEY": KEY,
    "GREENROOM_LINK_KEY": KEY,
    "GREENROOM_SESSION_KEY": KEY,
    "GREENROOM_TOKEN_KEYS": TOKEN_KEYS,
}


@pytest.mark.parametrize(
    "words", [("worker",), ("worker", "--queue", "greenroom-mail"), ("web",), ("schedules", "list")]
)
@pytest.mark.parametrize(("value", "said"), [("", "is not set"), ("short-secret", "must be id:key")])
def test_without_a_key_nothing_starts(
    greenroom: Greenroom, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], value: str, said: str
) -> None:
    for name, well in {**WELL, "GREENROOM_PAYLOAD_KEYS": value}.items():
        monkeypatch.setenv(name, well)

    ended = greenroom(*words)

    assert (ended.code, ended.out) == (4, "")
    assert ended.err.startswith(f"greenroom: GREENROOM_PAYLOAD_KEYS {said}"), ended.err
    assert "greenroom keys new" in ended.err
    assert "GREENROOM_PAYLOAD_CODEC=off" in ended.err
    assert ended.err.count("\n") == 1
    assert "short-secret" not in ended.err


def test_told_to_do_without_it_does(greenroom: Greenroom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    monkeypatch.setenv("GREENROOM_PAYLOAD_CODEC", "off")

    assert "No Temporal server answers" in greenroom("schedules", "list").err


def test_on_and_off_is_all_there_is(greenroom: Greenroom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREENROOM_PAYLOAD_CODEC", "no")

    assert greenroom("schedules", "list").code == 2


async def test_a_worker_does_not_begin_when_it_cannot_read_what_is_there(
    wired: Stage, planned: Client, beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREENROOM_PAYLOAD_CODEC", "on")
    monkeypatch.setenv("GREENROOM_PAYLOAD_KEYS", NEW)

    ended = await beside("worker")

    assert (ended.code, ended.out) == (4, "")
    assert "there is no key 'old' in GREENROOM_PAYLOAD_KEYS; put that key into GREENROOM_PAYLOAD_KEYS" in ended.err


async def test_a_page_says_that_an_answer_cannot_be_opened() -> None:
    with pytest.raises(FailedError, match="there is no key 'old'"):
        async with answered():
            await sealing(NEW).decode(await sealing(OLD).encode([Payload(data=b"x")]))


def test_the_development_stack_tells_the_web_ui_where_payloads_are_opened(tmp_path: Path) -> None:
    plan = Plan.read()

    assert (
        f"--ui-codec-endpoint=http://127.0.0.1:{plan.ports['web']}/codec" in Stack(plan, tmp_path)._temporal().command
    )


async def test_a_command_begins_nothing_without_a_key(
    wired: Stage, beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREENROOM_PAYLOAD_CODEC", "on")

    ended = await beside("research", "ada@lovelace.example")

    assert (ended.code, ended.out) == (4, "")
    assert "GREENROOM_PAYLOAD_KEYS is not set" in ended.err
    async with wired.database.tenant(wired.tenant.id) as connection:
        assert await connection.fetchval("SELECT count(*) FROM research") == 0


async def test_an_answer_that_cannot_be_opened_is_one_sentence(
    wired: Stage, beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker has been given a new key, this machine has not."""
    wired.temporal = await client(wired.temporal, f"{NEW},{OLD}")
    monkeypatch.setenv("GREENROOM_PAYLOAD_CODEC", "on")
    monkeypatch.setenv("GREENROOM_PAYLOAD_KEYS", OLD)
    async with wired.working():
        ended = await beside("research", "ada@lovelace.example")

    assert (ended.code, ended.out) == (1, "")
    assert "there is no key 'new' in GREENROOM_PAYLOAD_KEYS; put the key that is missing back" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("keys", "mode", "ok", "warning", "said"),
    [
        (f"{OLD},{NEW}", "on", True, False, "seals with old"),
        ("", "on", False, False, "is not set"),
        ("k:short", "on", False, False, "must be id:key"),
        ("", "off", True, True, "is off"),
        ("k:short", "off", False, False, "must be id:key"),
    ],
)
def test_doctor_looks_at_the_key(keys: str, mode: str, ok: bool, warning: bool, said: str) -> None:
    found = codec.keys(settings(keys, mode))

    assert (found.ok, found.warning, said in found.said) == (ok, warning, True), found
    assert "short" not in found.said
    assert bool(found.remedy) == (warning or not ok)


async def test_doctor_tells_of_it(wired: Stage, beside: Beside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREENROOM_PAYLOAD_CODEC", "on")
    missing = (await beside("doctor")).out
    monkeypatch.setenv("GREENROOM_PAYLOAD_KEYS", OLD)
    there = (await beside("doctor")).out

    assert "GREENROOM_PAYLOAD_KEYS: GREENROOM_PAYLOAD_KEYS is not set; make one with: greenroom keys new" in missing
    assert "GREENROOM_PAYLOAD_KEYS: seals with old" in there
    assert "payloads: what the newest worker wrote can be read" in there
    for said in (missing, there):
        assert "Temporal: answers at" in said


def test_a_development_stack_makes_a_key_once(tmp_path: Path) -> None:
    """Its folder may be from before there was one."""
    files.write(tmp_path / "keys.env", {"GREENROOM_LINK_KEY": "kept"})
    first = files.own_keys(tmp_path / "keys.env")

    assert first["GREENROOM_LINK_KEY"] == "kept"
    assert codec.keys(settings(first["GREENROOM_PAYLOAD_KEYS"])).ok
    assert files.own_keys(tmp_path / "keys.env") == first
