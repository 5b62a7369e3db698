"""What a test or the control API does behind the scenes: accounts, grants, knobs."""

from typing import TYPE_CHECKING

from pydantic import PrivateAttr

from sandbox.google.diary import Calendar, UnknownError
from sandbox.google.knobs import Knobs
from sandbox.google.oauth import KNOWN_SCOPES, URL
from sandbox.google.orders import NewAccount
from sandbox.google.push import Message
from sandbox.google.state import Account, State

if TYPE_CHECKING:
    from sandbox.google.front import Google

USUAL_SCOPES = ("openid", "email", f"{URL}calendar.events.readonly")


class Backstage(Knobs):
    """The knobs, and what can be done around them: `sandbox.google.lose_notifications = True`.

    Everything here is synchronous and takes effect at once. What is changed is saved when there is a state file; knobs
    are not, as faults are not.
    """

    _google: "Google" = PrivateAttr()

    def stands_behind(self, google: "Google") -> None:
        self._google = google

    def knobs(self) -> Knobs:
        """How they stand now."""
        return Knobs(**{name: getattr(self, name) for name in Knobs.model_fields})

    def turn(self, **wanted: object) -> None:
        """Turn several at once: all of them, or none when one cannot be."""
        checked = Knobs.model_validate(self.knobs().model_dump() | wanted)
        for name in wanted:
            setattr(self, name, getattr(checked, name))

    @property
    def state(self) -> State:
        """All that is remembered, to be looked at."""
        return self._google.store.state

    @property
    def accounts(self) -> list[Account]:
        return list(self._google.store.state.accounts.values())

    def account(self, email: str, name: str | None = None, time_zone: str = "Europe/Berlin") -> Calendar:
        """A new account, with an empty calendar."""
        new = NewAccount(email=email, name=name, time_zone=time_zone)
        if new.email in self._google.store.state.accounts:
            raise ValueError(f"there is an account {new.email} already")
        self._google.store.state.accounts[new.email] = Account(**new.model_dump())
        self._google.store.save()
        return self.calendar(new.email)

    def calendar(self, email: str) -> Calendar:
        """The calendar of an account that exists."""
        account = self._google.store.state.accounts.get(email.lower())
        if account is None:
            known = ", ".join(self._google.store.state.accounts)
            raise UnknownError(f"There is no account {email!r:.80}; there are {known}.")
        return Calendar(account, self._google.store, self._google.push)

    def grant(self, email: str, scopes: list[str] | tuple[str, ...] = USUAL_SCOPES) -> str:
        """A refresh token, as if somebody had said Allow in a browser."""
        account = self._with_scopes(email, scopes)
        token = self._google.oauth.refresh_token(account.email, list(scopes))
        self._google.store.save()
        return token

    def access(self, email: str, scopes: list[str] | tuple[str, ...] = USUAL_SCOPES) -> str:
        """An access token, without any refresh."""
        account = self._with_scopes(email, scopes)
        token = self._google.oauth.access_token(account.email, list(scopes))
        self._google.store.save()
        return token

    def revoke(self, email: str) -> None:
        """Somebody takes all access back: refreshing is an invalid_grant, and the API a 401."""
        self._google.oauth.revoke(self.calendar(email).account.email)
        self._google.store.save()

    def expire_access_tokens(self, email: str) -> None:
        """The API is a 401 until the token is refreshed."""
        self._google.oauth.forget_access(self.calendar(email).account.email)
        self._google.store.save()

    def refresh_tokens(self, email: str) -> list[str]:
        """Those that are worth something, oldest first."""
        kept = self._google.store.state.refresh
        return [token for token, one in kept.items() if one.live and one.email == email.lower()]

    @property
    def notifications(self) -> list[Message]:
        """What was to be sent since the start, and what became of it."""
        return list(self._google.push.messages)

    def _with_scopes(self, email: str, scopes: list[str] | tuple[str, ...]) -> Account:
        if unknown := [scope for scope in scopes if scope not in KNOWN_SCOPES]:
            raise ValueError(f"there is no scope {unknown[0]!r:.80}")
        return self.calendar(email).account
