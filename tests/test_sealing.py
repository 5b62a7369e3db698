"""Secrets at rest open for their row, with their key, whole; and nowhere else."""

from base64 import urlsafe_b64encode
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.sealing import Sealer, SealError, new_key

OLD, NEW = new_key(), new_key().replace("k", "n", 1)
ROW, OTHER = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


@given(st.binary(max_size=5000))
def test_what_is_sealed_opens_again(secret: bytes) -> None:
    sealer = Sealer(OLD)
    sealed = sealer.seal(secret, ROW)
    assert sealer.open(sealed, ROW) == secret
    assert len(secret) < 8 or secret not in sealed.data


def test_the_same_secret_never_looks_the_same() -> None:
    sealer = Sealer(OLD)
    assert sealer.seal(b"secret", ROW).data != sealer.seal(b"secret", ROW).data


def test_another_row_does_not_open_it() -> None:
    sealer = Sealer(OLD)
    with pytest.raises(SealError):
        sealer.open(sealer.seal(b"secret", ROW), OTHER)


def test_a_key_that_is_gone_is_named() -> None:
    sealed = Sealer(OLD).seal(b"secret", ROW)
    with pytest.raises(SealError, match=sealed.key_id):
        Sealer(NEW).open(sealed, ROW)


def test_another_key_of_the_same_name_does_not_open_it() -> None:
    sealed = Sealer(OLD).seal(b"secret", ROW)
    impostor = f"{sealed.key_id}:{urlsafe_b64encode(b'x' * 32).decode()}"
    with pytest.raises(SealError):
        Sealer(impostor).open(sealed, ROW)


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_damage_anywhere_is_noticed(place: int, change: int) -> None:
    sealer = Sealer(OLD)
    sealed = sealer.seal(b"a secret of some length", ROW)
    data = bytearray(sealed.data)
    data[place % len(data)] ^= change
    with pytest.raises(SealError):
        sealer.open(replace(sealed, data=bytes(data)), ROW)


@given(st.binary(max_size=60))
def test_what_was_never_sealed_does_not_open(data: bytes) -> None:
    sealer = Sealer(OLD)
    with pytest.raises(SealError):
        sealer.open(replace(sealer.seal(b"", ROW), data=data), ROW)


def test_after_a_rotation_the_new_key_seals_and_both_open() -> None:
    old = Sealer(OLD).seal(b"secret", ROW)
    both = Sealer(f"{NEW},{OLD}")
    assert both.open(old, ROW) == b"secret"
    assert Sealer(NEW).open(both.seal(b"secret", ROW), ROW) == b"secret"


@pytest.mark.parametrize("keys", ["", ",", "k", "k:", ":" + "x" * 44, "k:short", "k:" + "!" * 44])
def test_what_are_no_keys_is_refused(keys: str) -> None:
    with pytest.raises(ValueError, match="GREENROOM_TOKEN_KEYS"):
        Sealer(keys)


def test_no_key_among_good_ones_is_refused() -> None:
    with pytest.raises(ValueError, match="GREENROOM_TOKEN_KEYS"):
        Sealer(OLD + ",k")
