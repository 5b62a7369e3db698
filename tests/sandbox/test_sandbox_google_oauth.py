"""Consent, codes and tokens: what a browser is shown, what a client gets, and how it is refused."""

import asyncio
import base64
import hashlib
import re
from datetime import timedelta
from typing import Any

import aiohttp
import google_auth_httplib2
import pytest
from google.auth.exceptions import RefreshError
from googleapiclient.errors import HttpError
from yarl import URL

from sandbox import Sandbox
from tests.sandbox.official import ROBIN, Official, connection, credentials, reason

AUTH, TOKEN = "/google/o/oauth2/v2/auth", "/google/token"
BACK = "http://127.0.0.1:8080/oauth/callback"
EVENTS = "https://www.googleapis.com/auth/calendar.events.readonly"
EMAIL = "https://www.googleapis.com/auth/userinfo.email"
VERIFIER = "a-verifier-that-is-at-least-forty-three-characters-long"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
ASKED = {
    "client_id": "sandbox-client",
    "redirect_uri": BACK,
    "response_type": "code",
    "scope": f"openid email {EVENTS}",
    "state": "s-1 &<x>",
    "access_type": "offline",
    "prompt": "consent",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}
CLIENT = {"client_id": "sandbox-client", "client_secret": "sandbox"}
REDEEM = {**CLIENT, "grant_type": "authorization_code", "redirect_uri": BACK, "code_verifier": VERIFIER}
Said = tuple[int, dict[str, Any]]


async def decide(http: aiohttp.ClientSession, asked: dict[str, str], **form: Any) -> URL:
    """Where the browser is sent after a click."""
    data = {"decision": "allow", "account": ROBIN, "scope": EVENTS, **form}
    async with http.post(AUTH, params=asked, data=data, allow_redirects=False) as response:
        assert response.status == 302
        return URL(response.headers["location"])


async def code(http: aiohttp.ClientSession, **asked: str) -> str:
    return (await decide(http, ASKED | asked)).query["code"]


async def post(http: aiohttp.ClientSession, path: str, form: dict[str, str], **more: Any) -> Said:
    async with http.post(path, data=form, **more) as response:
        return response.status, await response.json()


async def redeemed(http: aiohttp.ClientSession, **asked: str) -> dict[str, Any]:
    status, tokens = await post(http, TOKEN, REDEEM | {"code": await code(http, **asked)})
    assert status == 200
    return tokens


async def userinfo(http: aiohttp.ClientSession, token: str) -> Said:
    async with http.get("/google/v1/userinfo", headers={"authorization": f"Bearer {token}"}) as response:
        return response.status, await response.json()


async def test_the_page_shows_the_accounts_and_what_is_asked_for(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    sandbox.google.account("kim.hale@harbour.example", "Kim <b>Hale</b>")

    async with http.get(AUTH, params=ASKED | {"login_hint": "kim.hale@harbour.example"}) as response:
        page = await response.text()
        assert (response.status, response.content_type) == (200, "text/html")
        assert "default-src 'none'" in response.headers["content-security-policy"]

    assert "SANDBOX" in page and "fictional" in page
    assert "<script" not in page and "http-equiv" not in page
    assert "Kim &lt;b&gt;Hale&lt;/b&gt;" in page
    assert re.findall(r'name="account" value="([^"]+)" required( checked)?', page) == [
        (ROBIN, ""),
        ("kim.hale@harbour.example", " checked"),
    ]
    assert re.findall(r'name="scope" value="([^"]+)" checked', page) == [EVENTS]
    assert "127.0.0.1:8080" in page


async def test_without_a_hint_the_first_account_is_chosen(http: aiohttp.ClientSession) -> None:
    async with http.get(AUTH, params=ASKED | {"login_hint": "stranger@nowhere.example"}) as response:
        assert f'value="{ROBIN}" required checked' in await response.text()


async def test_allow_sends_the_browser_back_with_a_code(http: aiohttp.ClientSession) -> None:
    back = await decide(http, ASKED | {"redirect_uri": f"{BACK}?keep=1"})

    assert str(back).startswith(f"{BACK}?keep=1&")
    assert back.query["state"] == ASKED["state"]
    assert back.query["scope"] == f"openid {EMAIL} {EVENTS}"
    assert back.query["code"].startswith("4/0A")


async def test_deny_sends_it_back_with_an_error(http: aiohttp.ClientSession) -> None:
    back = await decide(http, ASKED, decision="deny")

    assert dict(back.query) == {"state": ASKED["state"], "error": "access_denied"}


async def test_no_prompt_is_no_answer(http: aiohttp.ClientSession) -> None:
    async with http.get(AUTH, params=ASKED | {"prompt": "none"}, allow_redirects=False) as response:
        assert URL(response.headers["location"]).query["error"] == "interaction_required"


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"client_id": "another"}, "invalid_client"),
        ({"redirect_uri": "https://harbour.example/callback"}, "redirect_uri_mismatch"),
        ({"redirect_uri": "http://127.0.0.1.harbour.example/"}, "redirect_uri_mismatch"),
        ({"redirect_uri": "http://127.0.0.1/#x"}, "redirect_uri_mismatch"),
        ({"redirect_uri": "http://127.0.0.1@harbour.example/"}, "redirect_uri_mismatch"),
        ({"redirect_uri": "javascript:alert(1)"}, "redirect_uri_mismatch"),
        ({"redirect_uri": "http://[::1"}, "redirect_uri_mismatch"),
        ({"redirect_uri": ""}, "redirect_uri_mismatch"),
        ({"response_type": "token"}, "invalid_request"),
        ({"scope": ""}, "invalid_request"),
        ({"scope": "openid https://www.googleapis.com/auth/drive"}, "invalid_scope"),
        ({"access_type": "sometimes"}, "invalid_request"),
        ({"prompt": "none consent"}, "invalid_request"),
        ({"prompt": "please"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"state": "x" * 5000}, "invalid_request"),
        ({"colour": "<script>"}, "invalid_request"),
    ],
)
async def test_a_request_that_cannot_be_meant_gets_a_page_and_no_redirect(
    http: aiohttp.ClientSession, wrong: dict[str, str], error: str
) -> None:
    for call in (http.get, http.post):
        async with call(AUTH, params=ASKED | wrong, allow_redirects=False) as response:
            page = await response.text()
            assert (response.status, response.content_type) == (400, "text/html")
        assert f"Error 400: {error}" in page
        assert "<script>" not in page


async def test_a_click_that_cannot_be_meant_gets_a_page(http: aiohttp.ClientSession) -> None:
    for form in ({}, {"decision": "perhaps"}, {"decision": "allow", "account": "nobody@x.example"}):
        async with http.post(AUTH, params=ASKED, data=form, allow_redirects=False) as response:
            assert response.status == 400


async def test_a_code_becomes_tokens_once(http: aiohttp.ClientSession) -> None:
    form = REDEEM | {"code": await code(http)}

    status, tokens = await post(http, TOKEN, form)
    assert status == 200
    assert set(tokens) == {"access_token", "expires_in", "refresh_token", "scope", "token_type"}
    assert (tokens["expires_in"], tokens["token_type"]) == (3599, "Bearer")
    assert tokens["scope"] == f"openid {EMAIL} {EVENTS}"
    assert (await userinfo(http, tokens["access_token"]))[1]["email"] == ROBIN
    assert await post(http, TOKEN, form) == (400, {"error": "invalid_grant", "error_description": "Bad Request"})


async def test_a_code_is_worth_nothing_after_ten_minutes(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    form = REDEEM | {"code": await code(http)}
    sandbox.world.clock.set(sandbox.world.clock.now() + timedelta(minutes=11))

    assert (await post(http, TOKEN, form))[1]["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("wrong", "status", "error"),
    [
        ({"client_id": "another"}, 401, "invalid_client"),
        ({"client_secret": "guess"}, 401, "invalid_client"),
        ({"client_secret": ""}, 401, "invalid_client"),
        ({"client_id": ""}, 400, "invalid_request"),
        ({"grant_type": ""}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"code": ""}, 400, "invalid_request"),
        ({"code": "4/0Anonsense"}, 400, "invalid_grant"),
        ({"redirect_uri": "http://127.0.0.1:8080/other"}, 400, "redirect_uri_mismatch"),
        ({"code_verifier": ""}, 400, "invalid_grant"),
        ({"code_verifier": VERIFIER + "x"}, 400, "invalid_grant"),
    ],
)
async def test_a_code_is_only_worth_something_to_who_asked_for_it(
    http: aiohttp.ClientSession, wrong: dict[str, str], status: int, error: str
) -> None:
    form = REDEEM | {"code": await code(http)}

    refused = await post(http, TOKEN, form | wrong)

    assert (refused[0], refused[1]["error"]) == (status, error)
    assert set(refused[1]) == {"error", "error_description"}
    assert (await post(http, TOKEN, form))[0] == 200, "a mistake does not use up the code"


async def test_the_client_may_say_who_it_is_in_the_header(http: aiohttp.ClientSession) -> None:
    form = {name: value for name, value in REDEEM.items() if name not in CLIENT} | {"code": await code(http)}
    right, wrong = aiohttp.encode_basic_auth("sandbox-client", "sandbox"), "Basic !!!"

    assert (await post(http, TOKEN, form, headers={"authorization": wrong}))[0] == 400
    assert (await post(http, TOKEN, form, headers={"authorization": right}))[0] == 200


async def test_a_refresh_token_comes_at_the_first_consent_and_whenever_consent_is_asked_for(
    http: aiohttp.ClientSession,
) -> None:
    assert "refresh_token" not in await redeemed(http, access_type="online")
    assert "refresh_token" in await redeemed(http, prompt="select_account")
    assert "refresh_token" not in await redeemed(http, prompt="select_account")
    assert "refresh_token" in await redeemed(http, prompt="consent")


async def test_what_was_not_ticked_is_not_granted(http: aiohttp.ClientSession) -> None:
    back = await decide(http, ASKED, scope="")
    _, tokens = await post(http, TOKEN, REDEEM | {"code": back.query["code"]})

    assert tokens["scope"] == f"openid {EMAIL}"
    headers = {"authorization": f"Bearer {tokens['access_token']}"}
    async with http.get("/google/calendar/v3/calendars/primary/events", headers=headers) as response:
        assert response.status == 403
        assert (await response.json())["error"]["errors"][0]["reason"] == "insufficientPermissions"


async def test_google_auth_refreshes(sandbox: Sandbox) -> None:
    holder = credentials(sandbox, sandbox.google.grant(ROBIN), scopes=[EVENTS])

    await asyncio.to_thread(refresh, holder)

    assert holder.valid and holder.token.startswith("ya29.")
    assert holder.granted_scopes == [EVENTS]
    with pytest.raises(RefreshError, match="invalid_scope"):
        await asyncio.to_thread(refresh, credentials(sandbox, sandbox.google.grant(ROBIN), scopes=[f"{EVENTS}.more"]))


def refresh(holder: Any) -> None:
    with connection() as http:
        holder.refresh(google_auth_httplib2.Request(http))


async def refused(sandbox: Sandbox, token: str, secret: str = "sandbox") -> tuple[str, bool]:
    """What google-auth reads out of a refusal."""
    with pytest.raises(RefreshError) as caught:
        await asyncio.to_thread(refresh, credentials(sandbox, token, secret))
    return caught.value.args[1]["error"], caught.value.retryable


async def test_a_revoked_grant_is_an_invalid_grant_and_a_401(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    token, access = sandbox.google.grant(ROBIN), sandbox.google.access(ROBIN)
    assert (await userinfo(http, access))[0] == 200

    sandbox.google.revoke(ROBIN)

    assert await refused(sandbox, token) == ("invalid_grant", False)
    assert await refused(sandbox, "1//nonsense") == ("invalid_grant", False)
    assert await refused(sandbox, token, "guess") == ("invalid_client", False)
    status, said = await userinfo(http, access)
    assert (status, said["error"]["errors"][0]["reason"]) == (401, "authError")


async def test_either_token_revokes_everything(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    for revoked_by in (sandbox.google.grant, sandbox.google.access):
        token, other = revoked_by(ROBIN), sandbox.google.grant(ROBIN)
        assert await post(http, "/google/revoke", {"token": token}) == (200, {})
        assert await refused(sandbox, other) == ("invalid_grant", False)
        status, said = await post(http, "/google/revoke", {"token": token})
        assert (status, said["error"]) == (400, "invalid_token")
    assert (await post(http, "/google/revoke", {}))[0] == 400


async def test_refresh_tokens_can_rotate(sandbox: Sandbox) -> None:
    first = sandbox.google.grant(ROBIN)
    holder = credentials(sandbox, first)
    sandbox.google.rotate_refresh_tokens = True
    await asyncio.to_thread(refresh, holder)
    second = holder.refresh_token
    assert second not in {None, first}
    await asyncio.to_thread(refresh, credentials(sandbox, first))

    sandbox.google.rotation_ends_old = True
    await asyncio.to_thread(refresh, holder)

    assert await refused(sandbox, second) == ("invalid_grant", False)
    assert sandbox.google.refresh_tokens(ROBIN)[-1] == holder.refresh_token


async def test_the_hundred_and_first_refresh_token_ends_the_first(sandbox: Sandbox) -> None:
    tokens = [sandbox.google.grant(ROBIN) for _ in range(101)]

    assert sandbox.google.refresh_tokens(ROBIN) == tokens[1:]
    assert await refused(sandbox, tokens[0]) == ("invalid_grant", False)


async def test_access_tokens_live_an_hour_of_the_sandbox_clock(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    token, begun = sandbox.google.access(ROBIN), sandbox.world.clock.now()
    sandbox.world.clock.set(begun + timedelta(seconds=3590))
    assert (await userinfo(http, token))[0] == 200

    sandbox.world.clock.set(begun + timedelta(seconds=3600))

    assert (await userinfo(http, token))[0] == 401


async def test_the_official_client_refreshes_after_a_401(sandbox: Sandbox) -> None:
    google = Official(sandbox)
    await google.listed()
    sandbox.google.expire_access_tokens(ROBIN)

    assert (await google.listed())["items"] == []
    labels = [record["about"] for record in sandbox.journal.records(provider="google")]
    assert labels == ["token:refresh", "events.list:full", "events.list:full", "token:refresh", "events.list:full"]


async def test_userinfo_says_what_the_scopes_allow(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    said = {
        scopes: (await userinfo(http, sandbox.google.access(ROBIN, scopes)))[1]
        for scopes in (("openid",), ("openid", "email"), ("openid", "email", "profile"))
    }

    assert list(said[("openid",)]) == ["sub"]
    assert said[("openid", "email")] == {**said[("openid",)], "email": ROBIN, "email_verified": True}
    assert said[("openid", "email", "profile")]["name"] == "Robin Marsh"
    assert re.fullmatch(r"1\d{20}", said[("openid",)]["sub"])
    assert (await userinfo(http, sandbox.google.access(ROBIN, (EVENTS,))))[0] == 403


async def test_the_api_wants_a_token_that_may(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    path = "/google/calendar/v3/calendars/primary/events"
    for token, status, why in (
        ("", 401, "required"),
        ("nonsense", 401, "authError"),
        (sandbox.google.access(ROBIN, ("openid", "email")), 403, "insufficientPermissions"),
    ):
        async with http.get(path, headers={"authorization": f"Bearer {token}"}) as response:
            error = (await response.json())["error"]
            assert (response.status, error["code"], error["errors"][0]["reason"]) == (status, status, why)
    google = Official(sandbox)
    google.credentials = credentials(sandbox, sandbox.google.grant(ROBIN, ("openid",)))
    with pytest.raises(HttpError) as refused_call:
        await google.listed()
    assert reason(refused_call.value) == (403, "insufficientPermissions")
