"""Google accounts by OAuth 2: who somebody is, and what they let us read.

consent page ─▶ code ─▶ exchange ─▶ Grant ─▶ refresh ─▶ Grant ...      Grant ─▶ who ─▶ Identity
"""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode, urljoin

import aiohttp
from pydantic import Field, ValidationError
from temporalio.exceptions import ApplicationError

from activities import errors
from activities.plain import clean
from activities.ports import Grant, Identity, InvalidGrantError, UnauthorizedError
from activities.providers.http import parse_object, read_bounded, read_object
from schemas.base import Email, Inbound
from schemas.providers import Google

SIGN_IN = ("openid", "email")
# The least that lets us read events, hear of them, and no calendar but the user's own.
CALENDAR = ("https://www.googleapis.com/auth/calendar.events.owned.readonly",)

# A token is sent back in a header: visible ASCII, and no more than a header holds.
TOKEN = re.compile(r"^[\x21-\x7e]{1,4000}$")
SUBJECT = re.compile(r"^[\x21-\x7e]{1,255}$")
LONGEST_NAME = 120
LONGEST_SCOPES = 4000

# What OAuth calls trouble of its own side, said with 400.
THEIR_TROUBLE = {"internal_failure", "server_error", "temporarily_unavailable"}


class GrantSaid(Inbound):
    access_token: str = Field(pattern=TOKEN.pattern)
    token_type: str = Field(pattern="(?i)^bearer$")
    expires_in: float = Field(gt=0, le=10**7, allow_inf_nan=False)
    refresh_token: str | None = None
    scope: str = Field(default="", max_length=LONGEST_SCOPES)


class WhoSaid(Inbound):
    sub: str = Field(pattern=SUBJECT.pattern)
    email: Email
    # Some answers have had it as text.
    email_verified: bool = False
    name: str = ""


class GoogleAccounts:
    """Accounts, and how they are come by. One call an ask, no retries of its own."""

    name = "google"

    def __init__(self, session: aiohttp.ClientSession, google: Google, *, timeout_s: float = 20) -> None:
        self._session = session
        self._google = google
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self.sandbox = google.sandbox

    def consent_url(self, state: str, challenge: str, redirect_uri: str, scopes: Sequence[str], hint: str = "") -> str:
        """Where a user is asked. For a calendar, which is read while they are away, a refresh token comes each time."""
        away = {"access_type": "offline", "prompt": "consent"} if set(CALENDAR) & set(scopes) else {}
        query = {
            "response_type": "code",
            "client_id": self._google.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(scopes),
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **away,
            **({"login_hint": hint} if hint else {}),
        }
        return f"{self._google.auth_url}?{urlencode(query)}"

    async def exchange(self, code: str, verifier: str, redirect_uri: str) -> Grant:
        """A grant for the code that came back. InvalidGrantError: the code is old, used, or somebody else's."""
        return await self._grant(
            {
                "grant_type": "authorization_code",
                "code": code,
                "code_verifier": verifier,
                "redirect_uri": redirect_uri,
            }
        )

    async def refresh(self, refresh_token: str) -> Grant:
        return await self._grant({"grant_type": "refresh_token", "refresh_token": refresh_token})

    async def who(self, access_token: str) -> Identity:
        """Whose token this is. Raises UnauthorizedError when it is nobody's any more."""
        headers = {"authorization": f"Bearer {access_token}"}
        try:
            async with self._session.get(
                self._google.userinfo_url, headers=headers, timeout=self._timeout, allow_redirects=False
            ) as response:
                if response.status == 401:
                    raise UnauthorizedError
                if response.status != 200:
                    raise errors.rationed(self.name, response.status, None, response.headers)
                return identity(await read_object(self.name, response))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise errors.unreachable(self.name, error) from None

    async def revoke(self, token: str) -> None:
        """Give a token back. One that is not known is given back already."""
        try:
            async with self._session.post(
                urljoin(self._google.token_url, "revoke"),
                data={"token": token},
                timeout=self._timeout,
                allow_redirects=False,
            ) as response:
                kind = _kind(await read_bounded(self.name, response)) if response.status != 200 else None
                if response.status != 200 and kind not in ("invalid_token", "invalid_grant"):
                    raise errors.rationed(self.name, response.status, kind, response.headers)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise errors.unreachable(self.name, error) from None

    async def _grant(self, form: dict[str, str]) -> Grant:
        us = {"client_id": self._google.client_id, "client_secret": self._google.client_secret.get_secret_value()}
        try:
            async with self._session.post(
                self._google.token_url, data={**form, **us}, timeout=self._timeout, allow_redirects=False
            ) as response:
                if response.status != 200:
                    raise self._refused(response, _kind(await read_bounded(self.name, response)))
                return grant(await read_object(self.name, response))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise errors.unreachable(self.name, error) from None

    def _refused(self, response: aiohttp.ClientResponse, kind: object) -> Exception:
        if kind == "invalid_grant":
            return InvalidGrantError()
        if kind in THEIR_TROUBLE:
            return errors.failed_itself(self.name, kind)
        return errors.rationed(self.name, response.status, kind, response.headers)


def grant(answer: dict[str, Any]) -> Grant:
    try:
        said = GrantSaid.model_validate(answer)
    except ValidationError:
        raise errors.nonsense(GoogleAccounts.name, "a grant of another shape") from None
    known = said.refresh_token if said.refresh_token and TOKEN.fullmatch(said.refresh_token) else None
    return Grant(said.access_token, known, said.expires_in, tuple(said.scope.split()))


def identity(answer: dict[str, Any]) -> Identity:
    try:
        said = WhoSaid.model_validate(answer)
    except ValidationError:
        raise errors.nonsense(GoogleAccounts.name, "an account of another shape") from None
    return Identity(said.email, said.email_verified, said.sub, clean(said.name, LONGEST_NAME))


def _kind(body: bytes) -> object:
    """OAuth's name of an error: a word beside its description, or Google's own shape."""
    try:
        error = parse_object(GoogleAccounts.name, body).get("error")
    except ApplicationError:
        return None
    return error.get("status") if isinstance(error, dict) else error if isinstance(error, str) else None
