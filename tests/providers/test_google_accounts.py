"""Accounts: consent, codes, refreshes and who somebody is, against a Google that checks them."""

import base64
import hashlib
import re
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from temporalio.exceptions import ApplicationError

from activities.ports import InvalidGrantError, UnauthorizedError
from activities.providers.google_accounts import CALENDAR, SIGN_IN, GoogleAccounts
from sandbox import Sandbox
from schemas.providers import Google

ACCOUNT = "robin.marsh@harbour.example"
BACK = "http://127.0.0.1:8080/connect/google/callback"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")


@pytest.fixture
async def accounts(sandbox: Sandbox) -> AsyncIterator[GoogleAccounts]:
    async with aiohttp.ClientSession() as session:
        yield GoogleAccounts(session, Google.pretended(sandbox.google_url), timeout_s=2)


async def code(accounts: GoogleAccounts, scopes: tuple[str, ...] = (*SIGN_IN, *CALENDAR)) -> str:
    """What comes back when somebody says Allow in a browser."""
    url = accounts.consent_url("the-state", CHALLENGE, BACK, scopes, ACCOUNT)
    form = [("decision", "allow"), ("account", ACCOUNT), *(("scope", scope) for scope in scopes)]
    async with aiohttp.ClientSession() as browser, browser.post(url, data=form, allow_redirects=False) as response:
        assert response.status == 302, re.sub(r"<[^>]+>", " ", await response.text())
        query = parse_qs(urlsplit(response.headers["location"]).query)
    assert query["state"] == ["the-state"]
    return query["code"][0]


async def test_from_consent_to_a_grant_and_who_it_is(accounts: GoogleAccounts) -> None:
    grant = await accounts.exchange(await code(accounts), VERIFIER, BACK)

    assert grant.refresh_token is not None
    assert set(CALENDAR) <= set(grant.scopes)
    assert 3000 < grant.expires_in_s <= 3600
    identity = await accounts.who(grant.access_token)
    assert (identity.email, identity.verified) == (ACCOUNT, True)
    assert identity.sub not in ("", ACCOUNT)
    assert (await accounts.who(grant.access_token)).sub == identity.sub


async def test_signing_in_asks_for_nothing_that_works_while_the_user_is_away(accounts: GoogleAccounts) -> None:
    grant = await accounts.exchange(await code(accounts, SIGN_IN), VERIFIER, BACK)
    assert grant.refresh_token is None
    assert not set(CALENDAR) & set(grant.scopes)


async def test_a_refresh_token_comes_each_time_a_calendar_is_connected(accounts: GoogleAccounts) -> None:
    for _ in range(2):
        assert (await accounts.exchange(await code(accounts), VERIFIER, BACK)).refresh_token


@pytest.mark.parametrize(("verifier", "back"), [("w" * 64, BACK), (VERIFIER, BACK + "/else")])
async def test_a_code_serves_who_asked_for_it_alone(accounts: GoogleAccounts, verifier: str, back: str) -> None:
    with pytest.raises((InvalidGrantError, ApplicationError)):
        await accounts.exchange(await code(accounts), verifier, back)


async def test_a_code_serves_once(accounts: GoogleAccounts) -> None:
    once = await code(accounts)
    await accounts.exchange(once, VERIFIER, BACK)
    with pytest.raises(InvalidGrantError):
        await accounts.exchange(once, VERIFIER, BACK)


async def test_a_grant_is_refreshed_until_it_is_revoked(accounts: GoogleAccounts, sandbox: Sandbox) -> None:
    refresh_token = sandbox.google.grant(ACCOUNT)
    grant = await accounts.refresh(refresh_token)
    assert grant.refresh_token is None, "the old one goes on"

    sandbox.google.rotate_refresh_tokens = True
    assert (await accounts.refresh(refresh_token)).refresh_token not in (None, refresh_token)

    await accounts.revoke(refresh_token)
    with pytest.raises(InvalidGrantError):
        await accounts.refresh(refresh_token)
    with pytest.raises(UnauthorizedError):
        await accounts.who(grant.access_token)
    await accounts.revoke(refresh_token)


REFUSALS = [
    (400, "invalid_request", "ProviderRefused"),
    (401, "invalid_client", "ProviderRefused"),
    (403, "rateLimitExceeded", "ProviderLimited"),
    (400, "temporarily_unavailable", "ProviderDown"),
    (429, None, "ProviderLimited"),
    (500, None, "ProviderDown"),
    (503, "internal_failure", "ProviderDown"),
    (302, None, "ProviderRefused"),
]


@pytest.mark.parametrize(("status", "reason", "kind"), REFUSALS)
async def test_each_refusal_of_a_token_is_what_it_means(
    accounts: GoogleAccounts, sandbox: Sandbox, status: int, reason: str | None, kind: str
) -> None:
    sandbox.faults.put("google", "status", status=status, reason=reason)
    with pytest.raises(ApplicationError) as raised:
        await accounts.refresh("1//secret-refresh-token")
    assert raised.value.type == kind
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("kind", ["hang", "drop", "garbage", "empty", "deep", "huge", "truncated", "wrong_type"])
async def test_what_is_no_answer_is_tried_again(accounts: GoogleAccounts, sandbox: Sandbox, kind: str) -> None:
    token = sandbox.google.grant(ACCOUNT)
    sandbox.faults.put("google", kind)
    try:
        await accounts.refresh(token)
    except ApplicationError as error:
        assert error.type in ("ProviderNonsense", "ProviderDown")
        assert not error.non_retryable
    else:
        assert kind == "wrong_type", "which may leave what matters as it is"
    journal = sandbox.journal
    assert len([*journal.records(provider="google"), *journal.running("google")]) == 1, "it is sent once"
