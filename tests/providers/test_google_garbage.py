"""Whatever Google sends is an answer with bounds, or an error of ours."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.exceptions import ApplicationError

from activities.providers import google, google_accounts
from tests.providers.test_garbage import JSON

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
WEEK = timedelta(days=7)
ID = "11111111-1111-4111-8111-111111111111"


@given(
    JSON
    | st.fixed_dictionaries(
        {}, optional={"items": JSON, "nextPageToken": JSON, "nextSyncToken": JSON, "timeZone": JSON}
    )
)
def test_any_page_leads_on_or_is_nonsense(said: Any) -> None:
    try:
        page = google.page(said)
    except ApplicationError as error:
        assert error.type == "ProviderNonsense"
    else:
        assert (page.page_token is None) != (page.sync_token is None)


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"items": []},
        {"items": {}, "nextSyncToken": "a"},
        {"items": None, "nextSyncToken": "a"},
        {"nextPageToken": ""},
        {"nextPageToken": 1},
        {"nextSyncToken": "x" * 9000},
        {"nextSyncToken": "a\nb"},
    ],
)
def test_a_page_without_a_way_on_is_none(said: dict[str, Any]) -> None:
    with pytest.raises(ApplicationError) as raised:
        google.page(said)
    assert raised.value.type == "ProviderNonsense"


def test_a_page_that_says_both_has_another_after_it() -> None:
    page = google.page({"nextPageToken": "p", "nextSyncToken": "s"})
    assert (page.page_token, page.sync_token) == ("p", None)


@given(st.fixed_dictionaries({"id": st.just(ID)}, optional={"resourceId": JSON | st.text(), "expiration": JSON}))
def test_any_channel_ends_at_a_possible_time_or_is_nonsense(said: dict[str, Any]) -> None:
    try:
        channel = google.channel(said, ID, NOW, WEEK)
    except ApplicationError as error:
        assert error.type == "ProviderNonsense"
    else:
        assert NOW < channel.expires_at <= NOW + google.LONGEST_CHANNEL
        assert channel.resource_id


@pytest.mark.parametrize("expiration", [0, "-1", "soon", "9" * 30, "1e9", [], True, int(NOW.timestamp() * 1000)])
def test_an_end_that_cannot_be_is_no_end(expiration: object) -> None:
    with pytest.raises(ApplicationError):
        google.channel({"id": ID, "resourceId": "r", "expiration": expiration}, ID, NOW, WEEK)


def test_a_channel_of_another_id_is_not_ours() -> None:
    with pytest.raises(ApplicationError):
        google.channel({"id": "x", "resourceId": "r"}, ID, NOW, WEEK)


@pytest.mark.parametrize("expiration", ["1795943700000", 1795943700000])
def test_an_end_is_read_as_a_number_or_a_text(expiration: object) -> None:
    channel = google.channel({"id": ID, "resourceId": "r", "expiration": expiration}, ID, NOW, WEEK)
    assert channel.expires_at == datetime(2026, 11, 29, 9, 15, tzinfo=UTC)


@given(
    JSON
    | st.fixed_dictionaries(
        {"error": JSON | st.fixed_dictionaries({}, optional={"errors": JSON, "details": JSON, "status": JSON})}
    )
)
def test_any_error_has_a_reason_or_none(said: Any) -> None:
    reason = google.reason(json.dumps(said).encode())
    assert reason is None or isinstance(reason, str)


@given(st.binary())
def test_any_bytes_have_a_reason_or_none(body: bytes) -> None:
    assert google.reason(body) is None or body


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"errors": [{"reason": "quotaExceeded"}], "code": 403}, "quotaExceeded"),
        ({"status": "RESOURCE_EXHAUSTED", "code": 429}, "RESOURCE_EXHAUSTED"),
        ({"status": "X", "details": [{"@type": "a"}, {"reason": "RATE_LIMIT_EXCEEDED"}]}, "RATE_LIMIT_EXCEEDED"),
    ],
)
def test_both_shapes_of_an_error_are_read(said: dict[str, Any], reason: str) -> None:
    assert google.reason(json.dumps({"error": said}).encode()) == reason


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "access_token": JSON | st.text(min_size=1),
            "token_type": JSON | st.just("Bearer"),
            "expires_in": JSON | st.integers(),
            "refresh_token": JSON,
            "scope": JSON,
        },
    )
)
def test_any_grant_can_be_sent_in_a_header_or_is_nonsense(said: dict[str, Any]) -> None:
    try:
        grant = google_accounts.grant(said)
    except ApplicationError as error:
        assert error.type == "ProviderNonsense"
    else:
        for token in (grant.access_token, grant.refresh_token or "x"):
            assert token.isascii() and token.isprintable() and " " not in token
        assert 0 < grant.expires_in_s <= 10**7


WHO = {"sub": JSON | st.text(), "email": JSON | st.text(), "email_verified": JSON, "name": JSON}


@given(st.fixed_dictionaries({}, optional=WHO))
def test_any_identity_has_an_address_or_is_nonsense(said: dict[str, Any]) -> None:
    try:
        identity = google_accounts.identity(said)
    except ApplicationError as error:
        assert error.type == "ProviderNonsense"
    else:
        assert "@" in identity.email and identity.email == identity.email.lower()
        assert 1 <= len(identity.sub) <= 255 and identity.sub.isascii() and identity.sub.isprintable()
