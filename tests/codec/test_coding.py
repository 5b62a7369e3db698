"""A payload opens whole, with its key, as its tenant's; and what was never sealed passes."""

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    ActivitySerializationContext,
    DefaultFailureConverter,
    DefaultFailureConverterWithEncodedAttributes,
    NexusSerializationContext,
    WorkflowSerializationContext,
)

from activities import coding
from activities.sealing import Sealer, SealError
from tests.codec.keys import NEW, OLD, sealing, settings
from workflows import ids

TENANT, OTHER, ROW = (f"{n * 8}-1111-4111-8111-111111111111" for n in ("1", "2", "3"))
PLAIN = Payload(metadata={"encoding": b"json/plain"}, data=b'"a secret of some length"')


def of(tenant: str, keys: str = OLD) -> coding.Codec:
    return sealing(keys).with_context(WorkflowSerializationContext("default", ids.research(tenant, ROW)))


def sealed(codec: coding.Codec, payload: Payload = PLAIN) -> Payload:
    return asyncio.run(codec.encode([payload]))[0]


def opened(codec: coding.Codec, payload: Payload) -> Payload:
    return asyncio.run(codec.decode([payload]))[0]


def changed(payload: Payload, change: Callable[[Payload], object]) -> Payload:
    copy = Payload()
    copy.CopyFrom(payload)
    change(copy)
    return copy


@given(st.dictionaries(st.text(max_size=20), st.binary(max_size=50), max_size=4), st.binary(max_size=5000))
def test_what_goes_in_comes_out(metadata: dict[str, bytes], data: bytes) -> None:
    payload = Payload(metadata=metadata, data=data)
    there = sealed(of(TENANT), payload)
    assert opened(sealing(OLD), there) == payload
    assert len(data) < 8 or data not in there.data


def test_it_says_that_it_is_sealed_with_which_key_and_whose_it_is_and_no_more() -> None:
    assert dict(sealed(of(TENANT)).metadata) == {
        "encoding": b"binary/encrypted",
        "key-id": b"old",
        "tenant": TENANT.encode(),
    }


def test_what_was_never_sealed_passes() -> None:
    assert opened(of(TENANT), PLAIN) == PLAIN


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_damage_anywhere_is_noticed(place: int, change: int) -> None:
    there = sealed(of(TENANT))
    data = bytearray(there.data)
    data[place % len(data)] ^= change
    with pytest.raises(SealError):
        opened(of(TENANT), changed(there, lambda copy: setattr(copy, "data", bytes(data))))


@pytest.mark.parametrize(
    ("name", "value"),
    [("tenant", OTHER.encode()), ("tenant", b""), ("tenant", b"\xff"), ("key-id", b"new"), ("key-id", b"\xff")],
)
def test_a_label_that_was_changed_is_noticed(name: str, value: bytes) -> None:
    """Nobody makes another's payload theirs by its label."""
    there = changed(sealed(of(TENANT)), lambda copy: copy.metadata.update({name: value}))
    with pytest.raises(SealError):
        opened(of(OTHER, f"{OLD},{NEW}"), there)


def test_a_missing_key_is_named_with_its_setting() -> None:
    with pytest.raises(SealError, match="there is no key 'old' in GREENROOM_PAYLOAD_KEYS"):
        opened(sealing(NEW), sealed(of(TENANT)))


def test_another_key_of_the_same_name_does_not_open_it() -> None:
    with pytest.raises(SealError, match="the key 'old' does not open it"):
        opened(sealing("old:" + NEW.partition(":")[2]), sealed(of(TENANT)))


def test_what_was_sealed_for_a_row_is_no_payload() -> None:
    """Whoever uses the same key for both has not made one the other."""
    token = Sealer(OLD).seal(PLAIN.SerializeToString(), TENANT)
    with pytest.raises(SealError):
        opened(of(TENANT), changed(sealed(of(TENANT)), lambda copy: setattr(copy, "data", token.data)))


def test_the_first_key_seals_and_all_open() -> None:
    both = sealing(f"{NEW},{OLD}")
    assert sealed(both).metadata["key-id"] == b"new"
    assert opened(both, sealed(of(TENANT))) == PLAIN


def test_switched_off_nothing_new_is_sealed_and_what_is_opens() -> None:
    off = sealing(OLD, "off")
    assert sealed(off) == PLAIN
    assert opened(off, sealed(of(TENANT))) == PLAIN
    without = coding.codec(settings(codec="off"))
    assert sealed(without) == PLAIN
    with pytest.raises(SealError, match="there is no key 'old'"):
        opened(without, sealed(of(TENANT)))


@pytest.mark.parametrize(
    ("keys", "codec"), [("", "on"), (" , ", "on"), ("short", "on"), ("k:short", "off"), (OLD + ",k", "on")]
)
def test_what_are_no_keys_is_refused(keys: str, codec: str) -> None:
    with pytest.raises(ValueError, match="GREENROOM_PAYLOAD_KEYS"):
        coding.data_converter(settings(keys, codec))


def test_failures_are_encoded_where_payloads_are() -> None:
    on, off = coding.data_converter(settings(OLD)), coding.data_converter(settings(codec="off"))
    assert on.failure_converter_class is DefaultFailureConverterWithEncodedAttributes
    assert off.failure_converter_class is DefaultFailureConverter


@pytest.mark.parametrize(
    ("workflow_id", "tenant"),
    [
        (ids.research(TENANT, ROW), TENANT),
        (ids.prospect_research(ids.research(TENANT, ROW), "k"), TENANT),
        (ids.calendar(TENANT, ROW), TENANT),
        (ids.meeting(TENANT, ROW), TENANT),
        (ids.subscription(TENANT, ROW), TENANT),
        (ids.notice(TENANT, "key"), TENANT),
        (ids.SWEEP, ""),
        ("calendar-polls-2026-11-22T03:46:56Z", ""),
        ("", ""),
    ],
)
def test_a_workflow_says_whose_it_is_by_its_id(workflow_id: str, tenant: str) -> None:
    assert coding.tenant_of(workflow_id) == tenant


def test_what_an_activity_is_given_is_its_workflow_s() -> None:
    context = ActivitySerializationContext(
        namespace="default",
        activity_id="1",
        activity_type="look",
        activity_task_queue="q",
        workflow_id=ids.research(TENANT, ROW),
        workflow_type="W",
        is_local=False,
    )
    assert sealed(sealing(OLD).with_context(context)).metadata["tenant"] == TENANT.encode()
    assert "tenant" not in sealed(sealing(OLD).with_context(NexusSerializationContext("e", "s", "o"))).metadata


def test_nobody_is_shown_what_is_not_theirs() -> None:
    codec = sealing(OLD)
    mine, theirs, nobodys = sealed(of(TENANT)), sealed(of(OTHER)), sealed(codec)
    assert codec.opened_for(TENANT, mine) == PLAIN
    assert codec.opened_for(TENANT, PLAIN) == PLAIN
    assert codec.opened_for(TENANT, theirs) == theirs
    assert codec.opened_for(TENANT, nobodys) == nobodys
    assert codec.opened_for("", nobodys) == nobodys
    assert sealing(NEW).opened_for(TENANT, mine) == mine, "no key of ours opens it"
