"""The page on which somebody lets a client in, or does not: GET and POST /o/oauth2/v2/auth."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from jinja2 import Environment, FileSystemLoader
from yarl import URL

from sandbox.brand import Answer, Call
from sandbox.google.loopback import on_loopback
from sandbox.google.oauth import CLIENT_ID, KNOWN_SCOPES, SIGN_IN, OAuth
from sandbox.google.store import Store

PAGES = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True)
HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
}
KNOWN = {
    *("client_id", "redirect_uri", "response_type", "scope", "state", "access_type", "prompt", "login_hint"),
    *("code_challenge", "code_challenge_method", "include_granted_scopes", "nonce", "hd", "hl", "authuser"),
    *("enable_granular_consent", "service", "flowName"),
}
WORDS = {
    "": "See, change and delete all your calendars",
    ".readonly": "See and download all your calendars",
    ".events": "See and change events on all your calendars",
    ".events.readonly": "See events on all your calendars",
    ".events.owned": "See and change events on calendars you own",
    ".events.owned.readonly": "See events on calendars you own",
}
LONGEST_STATE = 4096


class UnfitError(Exception):
    """A request that no consent page can be shown for: what Google calls it, and why."""

    def __init__(self, error: str, why: str) -> None:
        super().__init__(why)
        self.error = error
        self.why = why


@dataclass(frozen=True)
class Asked:
    """What a client asks for, checked."""

    redirect_uri: str
    scopes: list[str]
    state: str | None
    offline: bool
    prompts: frozenset[str]
    hint: str
    challenge: str | None


class Consent:
    """Shows the page, and sends the browser back with what was decided there."""

    def __init__(self, store: Store, oauth: OAuth) -> None:
        self._store = store
        self._oauth = oauth

    def answer(self, call: Call) -> Answer:
        try:
            asked = _asked(call.query)
            return self._decided(asked, call) if call.method == "POST" else self._page(asked)
        except UnfitError as unfit:
            return page("refused.html", 400, error=unfit.error, why=str(unfit))

    def _page(self, asked: Asked) -> Answer:
        if "none" in asked.prompts:
            return _back(asked, error="interaction_required")
        accounts = list(self._store.state.accounts.values())
        chosen = asked.hint if asked.hint in self._store.state.accounts else accounts[0].email
        sensitive = [(scope, _words(scope)) for scope in asked.scopes if scope not in {*SIGN_IN, *SIGN_IN.values()}]
        return page("consent.html", accounts=accounts, chosen=chosen, sensitive=sensitive, back=URL(asked.redirect_uri))

    def _decided(self, asked: Asked, call: Call) -> Answer:
        form = parse_qsl(call.body.decode(errors="replace"), errors="replace")
        said, ticked = dict(form), {value for name, value in form if name == "scope"}
        if said.get("decision") == "deny":
            return _back(asked, error="access_denied")
        if said.get("decision") != "allow":
            raise UnfitError("invalid_request", "Choose Allow or Deny.")
        account = self._store.state.accounts.get(said.get("account", ""))
        if account is None:
            raise UnfitError("invalid_request", "There is no such account in this sandbox.")
        scopes = [one for one in asked.scopes if one in {*SIGN_IN, *SIGN_IN.values()} or one in ticked]
        again = "consent" not in asked.prompts and self._oauth.knows(account.email, scopes)
        offline = asked.offline and not again
        code = self._oauth.code(account.email, scopes, asked.redirect_uri, asked.challenge, offline=offline)
        granted = self._store.state.codes[code].scopes
        return _back(asked, code=code, scope=" ".join(granted), authuser="0", prompt="consent")


def page(name: str, status: int = 200, **values: Any) -> Answer:
    return Answer(status, PAGES.get_template(name).render(values).encode(), HEADERS)


def _back(asked: Asked, **said: str) -> Answer:
    state = {} if asked.state is None else {"state": asked.state}
    return Answer(302, b"", {"location": str(URL(asked.redirect_uri).extend_query({**state, **said}))})


def _asked(query: str) -> Asked:
    pairs = parse_qsl(query, keep_blank_values=True, errors="replace")
    given = dict(pairs)
    if len(given) < len(pairs) or set(given) - KNOWN:
        raise UnfitError("invalid_request", "A parameter is unknown, or was given twice.")
    if given.get("client_id") != CLIENT_ID:
        raise UnfitError("invalid_client", f"The OAuth client was not found; the sandbox's is {CLIENT_ID}.")
    redirect_uri = _redirect(given.get("redirect_uri", ""))
    _one_of(given, "response_type", {"code"})
    _one_of(given, "access_type", {"online", "offline", None})
    _one_of(given, "include_granted_scopes", {"true", "false", None})
    prompts = frozenset(given.get("prompt", "").split())
    if prompts - {"none", "consent", "select_account"} or ("none" in prompts and len(prompts) > 1):
        raise UnfitError("invalid_request", "prompt must be none, consent or select_account.")
    if len(given.get("state", "")) > LONGEST_STATE:
        raise UnfitError("invalid_request", "state is too long.")
    return Asked(
        redirect_uri=redirect_uri,
        scopes=_scopes(given.get("scope", "")),
        state=given.get("state"),
        offline=given.get("access_type") == "offline",
        prompts=prompts,
        hint=given.get("login_hint", "").lower(),
        challenge=_challenge(given),
    )


def _one_of(given: dict[str, str], name: str, allowed: set[str | None] | set[str]) -> None:
    if given.get(name) not in allowed:
        expected = ", ".join(sorted(filter(None, allowed)))
        raise UnfitError("invalid_request", f"{name} must be {expected}, not {given.get(name)!r:.60}.")


def _redirect(text: str) -> str:
    try:
        url = URL(text)
    except ValueError:
        url = URL()
    if not on_loopback(url) or url.fragment or url.user:
        raise UnfitError("redirect_uri_mismatch", f"redirect_uri must be an address on this machine, not {text!r:.80}.")
    return text


def _scopes(text: str) -> list[str]:
    scopes = list(dict.fromkeys(text.split()))
    if not scopes:
        raise UnfitError("invalid_request", "Missing required parameter: scope.")
    if unknown := [scope for scope in scopes if scope not in KNOWN_SCOPES]:
        raise UnfitError("invalid_scope", f"Some requested scopes cannot be shown: {unknown[0]!r:.80}.")
    return scopes


def _challenge(given: dict[str, str]) -> str | None:
    challenge, method = given.get("code_challenge"), given.get("code_challenge_method")
    if challenge is None and method is None:
        return None
    if method != "S256" or not re.fullmatch(r"[A-Za-z0-9_-]{43}", challenge or ""):
        raise UnfitError("invalid_request", "code_challenge must be 43 letters, with code_challenge_method S256.")
    return challenge


def _words(scope: str) -> str:
    return WORDS.get(scope.rpartition("/auth/calendar")[2], scope)
