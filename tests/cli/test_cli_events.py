"""Events and their keys on the command line: what there is, one sent by hand, and keys that are shown once."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from standardwebhooks.webhooks import Webhook

from schemas.events import REGISTRY
from starter.web.app import build_app, listening, real_parts
from tests.cli.conftest import Beside, Greenroom
from tests.stage import Stage

ADHOC = '{"type": "adhoc", "prospects": [{"email": "ada@lovelace.example"}]}'


def test_all_events_are_listed_with_their_aliases(greenroom: Greenroom) -> None:
    said, told = greenroom("events", "list"), greenroom("events", "list", "--json").document
    assert all(name in said.out for name in REGISTRY)
    assert "email/send" in said.out
    assert [one["name"] for one in told] == list(REGISTRY)
    assert {one["direction"] for one in told} == {"in", "out"}


def test_a_schema_is_printed_by_name_or_alias(greenroom: Greenroom) -> None:
    assert greenroom("events", "schema", "email/send").document["required"] == ["to", "subject"]
    unknown = greenroom("events", "schema", "nda/forgotten")
    assert (unknown.code, "greenroom events list shows them" in unknown.err) == (3, True)


async def test_an_event_is_sent_by_hand_once(wired: Stage, beside: Beside, folder: Path) -> None:
    (folder / "said.json").write_text(ADHOC)
    first = await beside("events", "send", "research/generate.requested", "--data", ADHOC, "--id", "mine")
    again = await beside(
        "events", "send", "research/generate.requested", "--file", "said.json", "--id", "mine", "--json"
    )

    assert (first.code, first.out.strip()) == (0, "mine"), first.err
    assert again.document == {"ids": ["mine"], "status": 200}
    async with wired.database.tenant(wired.tenant.id) as connection:
        (row,) = await connection.fetch("SELECT key, state, workflow_id, event_key_id FROM received")
    assert tuple(row)[:2] == ("mine", "done")
    assert row["event_key_id"] is None
    assert await wired.temporal.get_workflow_handle(row["workflow_id"]).describe()


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("research/generate.requested",), 2, "data.type: field required"),
        (("research/generate.requested", "--data", "{"), 2, "is no JSON"),
        (("research/generate.requested", "--data", "[]", "--id", "x"), 2, "data: input should be"),
        (("research/generate.completed",), 2, "nobody sends it"),
        (("record/created", "--data", '{"tenantId": "other"}'), 2, "another tenant"),
        (("record/created", "--data", "{}", "--file", "-"), 2, "exclude each other"),
        (("nda/forgotten",), 3, "greenroom events list shows them"),
    ],
)
async def test_what_cannot_be_sent_is_refused_in_a_sentence(
    wired: Stage, beside: Beside, words: tuple[str, ...], code: int, sentence: str
) -> None:
    ended = await beside("events", "send", *words)
    assert (ended.code, ended.out) == (code, ""), ended.err
    assert sentence in ended.err
    assert await wired.count("received") == 0


async def test_without_temporal_it_says_what_is_missing(
    wired: Stage, beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    ended = await beside("events", "send", "research/generate.requested", "--data", ADHOC)
    assert (ended.code, "No Temporal server answers" in ended.err) == (4, True), ended.err


async def test_a_key_is_shown_once_works_at_both_doors_and_is_revoked(wired: Stage, beside: Beside) -> None:
    made = (await beside("keys", "create", "crm\u202e", "--json")).document
    listed = await beside("keys", "list")
    assert set(made) == {"id", "name", "key", "signing_secret", "base_url"}
    assert made["name"] == "crm"
    assert made["id"] in listed.out
    assert made["key"] not in listed.out
    assert made["signing_secret"] not in listed.out

    assert await _sent(wired, made) == {"keyed": 200, "signed": 200}
    assert (await beside("keys", "revoke", made["id"])).code == 0
    assert await _sent(wired, made) == {"keyed": 401, "signed": 401}
    assert (await beside("keys", "list", "--json")).document[0]["revoked_at"]


async def _sent(wired: Stage, made: dict[str, Any]) -> dict[str, int]:
    """The statuses of both doors of the app as it is served, with its own parts."""
    body, now = '{"name": "record/created", "data": {"amount": 3}}', datetime.now(UTC)
    signature = Webhook(made["signing_secret"]).sign("msg_1", now, body)
    headers = {"Greenroom-Key": made["id"], "webhook-id": "msg_1", "webhook-timestamp": str(int(now.timestamp()))}
    async with (
        real_parts(wired.settings()) as parts,
        listening(build_app(parts), 0) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
    ):
        keyed = await session.post(f"/e/{made['key']}", data=body)
        signed = await session.post("/events", data=body, headers={**headers, "webhook-signature": signature})
        return {"keyed": keyed.status, "signed": signed.status}


async def test_words_for_a_person_label_what_is_shown(wired: Stage, beside: Beside) -> None:
    said = await beside("keys", "create", "crm")
    described = " ".join((await beside("keys", "create", "--help")).out.split())
    assert (said.code, "Greenroom-Key: ID" in described) == (0, True)
    for label in ("id ", "key ", "signing secret", "base url"):
        assert label in said.out
    assert "/events, with Greenroom-Key: " in said.out
    assert "not shown again" in said.out
    for words, code in ((("create", "\u202e"), 2), (("revoke", "x"), 2), (("revoke", wired.tenant.id), 3)):
        assert (await beside("keys", *words)).code == code
