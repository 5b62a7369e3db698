"""What is read of what came: all of it, or a refusal that names the field and quotes nobody."""

import json
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starter.inbox import MOST_EVENTS, RefusedError, decode, read
from tests.events.conftest import adhoc

TENANT, OTHER = str(uuid4()), str(uuid4())
SECRET = "a-secret-word-of-somebody"


def taken(said: object) -> tuple[str, ...]:
    return tuple(one.key for one in read(said, TENANT, lambda number: f"made-{number}"))


def changed(**data: Any) -> list[dict[str, Any]]:
    """A good event, and one with its data changed."""
    wrong = adhoc("ada@lovelace.example")
    return [adhoc("ada@lovelace.example"), {**wrong, "data": {**wrong["data"], **data}}]


REFUSED: dict[str, tuple[object, int, str]] = {
    "a number": (7, 400, "events[0]: must be an event"),
    "a list of numbers": ([7], 400, "events[0]: must be an event"),
    "nothing": (None, 400, "events[0]: must be an event"),
    "no name": ({"data": {}}, 400, "events[0].name: "),
    "a name that is none": ({"name": 7}, 400, "events[0].name: "),
    "an unknown name": ({"name": "nda/forgotten"}, 400, 'events[0].name: there is no event "nda/forgotten"'),
    "a long name": ({"name": "x" * 201}, 400, "events[0].name: "),
    "what we tell": ({"name": "research/generate.completed"}, 400, "nobody sends it"),
    "data that is none": ({"name": "email/send", "data": [1]}, 400, "events[0].data: "),
    "an id that is none": (adhoc("a@b.example", id=7), 400, "events[0].id: "),
    "an id of no text": (adhoc("a@b.example", id="a\0b"), 400, "events[0].id: "),
    "half a letter for an id": (adhoc("a@b.example", id="\ud800"), 400, "events[0].id: "),
    "a long id": (adhoc("a@b.example", id="x" * 201), 400, "events[0].id: "),
    "no e-mail": (changed(prospects=[{"email": SECRET}]), 400, "events[1].data.prospects[0].email: is not in the form"),
    "no e-mail at all": (changed(prospects=[{}]), 400, "events[1].data.prospects[0].email: field required"),
    "a type of their own": (changed(type=SECRET), 400, "events[1].data.type: input should be"),
    "no meeting": (changed(type="calendar"), 400, "events[1].data: a calendar request needs meetingId"),
    "nobody": (changed(prospects=[]), 400, "events[1].data: an adhoc request needs prospects"),
    "another tenant": (changed(tenantId=OTHER), 403, "events[1].data.tenantId: "),
    "another tenant in our spelling": (changed(tenant_id=OTHER), 403, "events[1].data.tenant_id: "),
    "two tenants": (changed(tenantId=TENANT, tenant_id=OTHER), 403, "events[1].data.tenant_id: "),
    "a tenant's name": (changed(tenantId="acme"), 403, "events[1].data.tenantId: "),
    "a number for a tenant": (changed(tenantId=0), 403, "events[1].data.tenantId: "),
    "too many": ([adhoc("a@b.example")] * (MOST_EVENTS + 1), 400, "at most 500"),
}


@pytest.mark.parametrize(("said", "status", "sentence"), REFUSED.values(), ids=REFUSED)
def test_a_refusal_names_the_field_and_not_what_stands_in_it(said: object, status: int, sentence: str) -> None:
    with pytest.raises(RefusedError) as refused:
        taken(said)
    assert refused.value.status == status
    assert sentence in refused.value.sentence
    assert SECRET not in refused.value.sentence
    assert OTHER not in refused.value.sentence


def test_one_or_many_or_none_are_taken_in_their_order() -> None:
    assert taken(adhoc("a@b.example", id="mine")) == ("mine",)
    many = [adhoc("a@b.example"), adhoc("a@b.example", id="mine"), adhoc("a@b.example", id=""), adhoc("c@b.example")]
    assert taken(many) == ("made-0", "mine", "made-2", "made-3")
    assert taken([]) == ()


def test_the_tenant_s_own_name_is_no_other() -> None:
    assert taken(changed(tenantId=TENANT.upper(), tenant_id=None)) == ("made-0", "made-1")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"NaN",
        b'{"a": Infinity}',
        b'{"a": -1e999}',
        b"9" * 5000,
        b"[" * 200_000,
        b'"' + b"\xed\xa0\x80" + b'"',
    ],
)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(RefusedError, match="the body is no JSON"):
        decode(body)


def test_what_is_nested_too_deeply_is_refused() -> None:
    assert decode(b"[" * 60 + b"]" * 60)
    for deep in (b"[" * 70 + b"]" * 70, b'{"a":' * 500 + b"1" + b"}" * 500):
        with pytest.raises(RefusedError, match="nested more than 64 deep"):
            decode(deep)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["adhoc", TENANT, OTHER]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = ["type", "prospects", "email", "callId", "to", "subject", "data", "id", "tenantId", "startedAt", "durationS"]
NAMES = ["research/generate.requested", "transcript/parse.requested", "email/send", "record/created"]
events = st.fixed_dictionaries(
    {"name": st.sampled_from(NAMES), "data": st.dictionaries(st.sampled_from(FIELDS), anything) | anything},
    optional={"id": anything, "ts": anything, "user": anything},
)


@given(events | anything | st.lists(events, max_size=3))
@settings(deadline=None)
def test_whatever_is_sent_is_understood_or_refused_in_a_sentence(said: object) -> None:
    try:
        sent = read(said, TENANT, lambda number: f"made-{number}")
    except RefusedError as error:
        assert error.status in (400, 403)
        assert error.sentence.isprintable()
        assert len(error.sentence) < 300
    else:
        assert all(isinstance(one.key, str) and one.key for one in sent)
        assert all(one.payload.tenant_id in (None, TENANT) for one in sent)


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_whatever_bytes_come_they_are_json_or_refused(body: bytes) -> None:
    try:
        said = decode(body)
    except RefusedError as error:
        assert error.status == 400
    else:
        json.dumps(said)
