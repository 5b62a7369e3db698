"""OAuth 2 behind the consent page: codes become tokens, tokens are refreshed, revoked and asked whose they are."""

import base64
import binascii
import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

from sandbox.brand import Call
from sandbox.google.errors import ApiError, OAuthError
from sandbox.google.knobs import Knobs
from sandbox.google.state import Access, Account, Code, Refresh
from sandbox.google.store import Store

CLIENT_ID, CLIENT_SECRET = "sandbox-client", "sandbox"
LIFETIME_SECONDS = 3599
CODE_MINUTES = 10
MOST_REFRESH_TOKENS = 100

URL = "https://www.googleapis.com/auth/"
# Short names, and what a token's scope calls them.
SIGN_IN = {"openid": "openid", "email": f"{URL}userinfo.email", "profile": f"{URL}userinfo.profile"}
CALENDAR = frozenset(
    f"{URL}calendar{name}"
    for name in (
        "",
        ".readonly",
        ".events",
        ".events.readonly",
        ".events.owned",
        ".events.owned.readonly",
    )
)
KNOWN_SCOPES = frozenset({*SIGN_IN, *SIGN_IN.values(), *CALENDAR})

Tokens = dict[str, Any]


class OAuth:
    """Gives out tokens, and knows them again."""

    def __init__(self, store: Store, knobs: Knobs) -> None:
        self._store = store
        self._knobs = knobs

    # For the consent page and for tests.

    def code(self, email: str, scopes: list[str], redirect_uri: str, challenge: str | None, *, offline: bool) -> str:
        code = f"4/0A{secrets.token_urlsafe(32)}"
        self._store.state.codes[code] = Code(
            email=email,
            scopes=long_names(scopes),
            redirect_uri=redirect_uri,
            challenge=challenge,
            offline=offline,
            expires=self._store.now() + timedelta(minutes=CODE_MINUTES),
        )
        return code

    def knows(self, email: str, scopes: list[str]) -> bool:
        """Somebody who has allowed all this before, and not taken it back."""
        wanted = set(long_names(scopes))
        grants = (kept for kept in self._store.state.refresh.values() if kept.live and kept.email == email)
        return any(wanted <= set(kept.scopes) for kept in grants)

    def refresh_token(self, email: str, scopes: list[str]) -> str:
        token = f"1//0{secrets.token_urlsafe(40)}"
        self._store.state.refresh[token] = Refresh(email=email, scopes=long_names(scopes))
        live = [kept for kept in self._store.state.refresh.values() if kept.live and kept.email == email]
        for oldest in live[:-MOST_REFRESH_TOKENS]:
            oldest.live = False
        return token

    def access_token(self, email: str, scopes: list[str]) -> str:
        token = f"ya29.{secrets.token_urlsafe(48)}"
        expires = self._store.now() + timedelta(seconds=LIFETIME_SECONDS)
        self._store.state.access[token] = Access(email=email, scopes=long_names(scopes), expires=expires)
        return token

    def revoke(self, email: str) -> None:
        """Somebody takes everything back: no token of theirs is worth anything from now on."""
        self.forget_access(email)
        for kept in self._store.state.refresh.values():
            kept.live = kept.live and kept.email != email

    def forget_access(self, email: str) -> None:
        """Access tokens end early; refresh tokens stay."""
        state = self._store.state
        state.access = {token: kept for token, kept in state.access.items() if kept.email != email}

    # For the client.

    def token(self, call: Call) -> Tokens:
        form = _form(call)
        _admit(call, form)
        match _required(form, "grant_type"):
            case "authorization_code":
                return self._redeemed(form)
            case "refresh_token":
                return self._refreshed(form)
            case other:
                raise OAuthError(400, "unsupported_grant_type", f"Invalid grant_type: {other:.60}")

    def revoked(self, call: Call) -> None:
        token = _form(call).get("token") or dict(_pairs(call.query)).get("token")
        if not token:
            raise OAuthError(400, "invalid_request", "Missing required parameter: token")
        state = self._store.state
        kept = state.refresh.get(token) or state.access.get(token)
        if kept is None or (isinstance(kept, Refresh) and not kept.live):
            raise OAuthError(400, "invalid_token", "Token expired or revoked")
        self.revoke(kept.email)

    def userinfo(self, call: Call) -> dict[str, Any]:
        """Who signed in; the name is only told to those who asked for `profile`, as the real one does."""
        access, account = self.bearer(call)
        if "openid" not in access.scopes and SIGN_IN["email"] not in access.scopes:
            raise _insufficient()
        said: dict[str, Any] = {"sub": subject(account.email)}
        if SIGN_IN["email"] in access.scopes:
            said |= {"email": account.email, "email_verified": True}
        if SIGN_IN["profile"] in access.scopes:
            said |= {"name": account.name, "given_name": (account.name or "").partition(" ")[0]}
        return said

    def bearer(self, call: Call, wanted: frozenset[str] = frozenset()) -> tuple[Access, Account]:
        """Whoever's token the call carries, if it may do one of these things."""
        token = call.bearer()
        if not token:
            raise ApiError(401, "required", location="Authorization", location_type="header")
        access = self._store.state.access.get(token)
        if access is None or access.expires <= self._store.now():
            raise ApiError(401, "authError", location="Authorization", location_type="header")
        if wanted and not wanted & set(access.scopes):
            raise _insufficient()
        return access, self._store.state.accounts[access.email]

    def _redeemed(self, form: dict[str, str]) -> Tokens:
        code = self._store.state.codes.get(_required(form, "code"))
        if code is None or code.used or code.expires <= self._store.now():
            raise OAuthError(400, "invalid_grant", "Malformed auth code." if code is None else "Bad Request")
        if _required(form, "redirect_uri") != code.redirect_uri:
            raise OAuthError(400, "redirect_uri_mismatch")
        _verify(code.challenge, form.get("code_verifier"))
        code.used = True
        answer = self._answer(code.email, code.scopes)
        return answer | ({"refresh_token": self.refresh_token(code.email, code.scopes)} if code.offline else {})

    def _refreshed(self, form: dict[str, str]) -> Tokens:
        kept = self._store.state.refresh.get(_required(form, "refresh_token"))
        if kept is None:
            raise OAuthError(400, "invalid_grant")
        if not kept.live:
            raise OAuthError(400, "invalid_grant", "Token has been expired or revoked.")
        scopes = long_names(form.get("scope", "").split()) or kept.scopes
        if not set(scopes) <= set(kept.scopes):
            raise OAuthError(400, "invalid_scope", "Some requested scopes were not granted.")
        answer = self._answer(kept.email, scopes)
        if not self._knobs.rotate_refresh_tokens:
            return answer
        kept.live = not self._knobs.rotation_ends_old
        return answer | {"refresh_token": self.refresh_token(kept.email, kept.scopes)}

    def _answer(self, email: str, scopes: list[str]) -> Tokens:
        token = self.access_token(email, scopes)
        return {
            "access_token": token,
            "expires_in": LIFETIME_SECONDS,
            "scope": " ".join(long_names(scopes)),
            "token_type": "Bearer",
        }


def long_names(scopes: list[str]) -> list[str]:
    """As a token's scope says them: `email` becomes an address, and each stands there once."""
    return list(dict.fromkeys(SIGN_IN.get(scope, scope) for scope in scopes))


def subject(email: str) -> str:
    """The account's number, which stays when its address changes."""
    return str(10**20 + int(hashlib.sha256(email.encode()).hexdigest(), 16) % 10**20)


def _insufficient() -> ApiError:
    return ApiError(403, "insufficientPermissions", "Request had insufficient authentication scopes.")


def _admit(call: Call, form: dict[str, str]) -> None:
    """The client says who it is in the form, or in the header."""
    client, secret = form.get("client_id", ""), form.get("client_secret", "")
    scheme, _, word = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            client, _, secret = base64.b64decode(word).decode().partition(":")
        except (ValueError, binascii.Error):
            client = secret = ""
    if not client:
        raise OAuthError(400, "invalid_request", "Could not determine client ID from request.")
    if client != CLIENT_ID:
        raise OAuthError(401, "invalid_client", "The OAuth client was not found.")
    if not hmac.compare_digest(secret.encode(), CLIENT_SECRET.encode()):
        raise OAuthError(401, "invalid_client", "Unauthorized")


def _verify(challenge: str | None, verifier: str | None) -> None:
    if challenge is None:
        return
    if not verifier:
        raise OAuthError(400, "invalid_grant", "Missing code verifier.")
    digest = hashlib.sha256(verifier.encode()).digest()
    if base64.urlsafe_b64encode(digest).decode().rstrip("=") != challenge:
        raise OAuthError(400, "invalid_grant", "Invalid code verifier.")


def _form(call: Call) -> dict[str, str]:
    kind = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    if call.body and kind != "application/x-www-form-urlencoded":
        raise OAuthError(400, "invalid_request", "The body must be application/x-www-form-urlencoded.")
    return dict(_pairs(call.body.decode(errors="replace")))


def _pairs(text: str) -> list[tuple[str, str]]:
    return [(name, values[0]) for name, values in parse_qs(text, keep_blank_values=True, errors="replace").items()]


def _required(form: dict[str, str], name: str) -> str:
    if not form.get(name):
        raise OAuthError(400, "invalid_request", f"Missing required parameter: {name}")
    return form[name]
