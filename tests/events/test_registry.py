"""The registry: what is in it is what is done, what the seeds send fits it, and so does what we tell."""

import re

import pytest
from jsonschema_rs import Draft202012Validator, meta
from pydantic import ValidationError

from schemas.events import REGISTRY, Direction, known
from schemas.payloads import EntityCreated, Payload
from starter.dispatch import CHECKS, KEPT, STARTERS
from tests.stage import Stage

SEEDS = {
    "calendar/webhook.received": {
        "channelId": "c",
        "resourceId": "r",
        "resourceState": "exists",
        "campaignId": "3f2c0a9e-5b1d-4c7e-9a55-0d1f2e3c4b5a",
        "calendarId": "robin@harbour.example",
        "receivedAt": "2026-11-23T09:00:00.000Z",
    },
    "research/generate.requested": {
        "type": "adhoc",
        "adHocRequestId": "their own",
        "campaignId": "3F2C0A9E-5B1D-4C7E-9A55-0D1F2E3C4B5A",
        "prospects": [{"email": "Ada@Lovelace.example", "name": "Ada", "companyDomain": "lovelace.example"}],
        "requestedAt": "2026-11-23T09:00:00Z",
    },
    "app/scheduled.webhook-renewal": {"scheduledAt": "2026-11-23T06:00:00Z"},
    "transcript/parse.requested": {"callId": "7"},
    "digest/generate.requested": {"userId": "test-user", "policyInterests": ["healthcare", "education"]},
    "email/send": {"to": "robin@harbour.example", "subject": "Hello"},
    "record/created": {"amount": 3},
}


def test_each_event_that_comes_in_begins_something_and_nothing_else_does() -> None:
    into = {one.name for one in REGISTRY.values() if one.direction is Direction.IN}
    collected = {one.name for one in REGISTRY.values() if one.collected}
    assert set(STARTERS) | set(KEPT) == into
    assert set(KEPT) == collected
    assert not set(STARTERS) & set(KEPT)
    assert set(CHECKS) <= into


# What applications listen for since before there was a rule.
AS_ALWAYS = {"skill.execute.progress", "skill.execute.completed", "skill.execute.failed"}


def test_names_are_domain_entity_action_and_nothing_is_called_twice() -> None:
    names = [name for one in REGISTRY.values() for name in (one.name, *one.aliases)]
    assert len(names) == len(set(names))
    assert {name: one.name for name, one in REGISTRY.items()} == {name: name for name in REGISTRY}
    for name in set(REGISTRY) - AS_ALWAYS:
        assert re.fullmatch(r"[a-z]+/[a-z]+\.[a-z]+", name), name
    assert known("email/send") is REGISTRY["mail/message.requested"]
    assert known("nda/uploaded") is REGISTRY["document/file.uploaded"]
    assert known("nda/nothing") is None


@pytest.mark.parametrize("name", REGISTRY)
def test_each_says_whose_it_is_and_has_a_schema(name: str) -> None:
    one = REGISTRY[name]
    assert issubclass(one.payload, Payload)
    assert one.does.endswith(".")
    schema = one.schema()
    meta.validate(schema)
    assert schema["properties"]["tenantId"]
    assert not {key for key in schema["properties"] if "_" in key}, "spelt as the seeds spell it"


@pytest.mark.parametrize("name", SEEDS)
def test_what_the_seeds_send_fits(name: str) -> None:
    definition = known(name)
    assert definition is not None
    definition.payload.model_validate(SEEDS[name])


@pytest.mark.parametrize("name", SEEDS)
def test_our_own_spelling_fits_too(name: str) -> None:
    definition = known(name)
    assert definition is not None
    ours = {re.sub("[A-Z]", lambda one: "_" + one[0].lower(), key): value for key, value in SEEDS[name].items()}
    assert definition.payload.model_validate(ours) == definition.payload.model_validate(SEEDS[name])


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("research/generate.requested", {"type": "adhoc"}),
        ("research/generate.requested", {"type": "calendar", "prospects": [{"email": "a@b.example"}]}),
        ("research/generate.requested", {"type": "adhoc", "prospects": [{"email": "a@b.example"}] * 21}),
        ("research/generate.requested", {"type": "adhoc", "prospects": [{"email": "a\0@b.example"}]}),
        ("calendar/webhook.received", {}),
        ("calendar/webhook.received", {"channelId": "\ud800"}),
        ("transcript/parse.requested", {"callId": "7", "startedAt": "0001-01-01T00:00:00Z"}),
        ("transcript/parse.requested", {"callId": "7", "transcript": "x" * 400_001}),
        ("transcript/parse.requested", {"callId": "7", "title": "a\0b"}),
        ("mail/message.requested", {"to": "robin@harbour.example", "subject": ""}),
        ("record/entity.created", {"collection": "../etc"}),
        ("record/entity.created", {"priority": "soon"}),
    ],
)
def test_what_cannot_be_meant_does_not(name: str, wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        REGISTRY[name].payload.model_validate(wrong)


def test_a_row_is_its_data_or_whatever_else_was_said() -> None:
    assert EntityCreated.model_validate({"id": 7, "priority": "urgent", "amount": 3}).row() == {"amount": 3}
    assert EntityCreated.model_validate({"id": "a", "data": {"amount": 3}, "more": 1}).row() == {"amount": 3}


async def test_what_we_tell_has_the_shape_that_is_written_down(stage: Stage) -> None:
    async with stage.working():
        await stage.research("ada@lovelace.example")
        await stage.failure("nobody@nowhere.example")
    told = await stage.events.after(stage.tenant.id, 0)

    assert {"research/generate.completed", "research/generate.failed"} <= {one.name for one in told}
    for one in told:
        definition = REGISTRY[one.name]
        assert definition.direction is Direction.OUT
        definition.payload.model_validate(one.payload)
        assert Draft202012Validator(definition.schema()).is_valid(one.payload)
