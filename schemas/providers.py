"""Providers as settings have them: how often they may be called, where they are, and who we are there."""

from typing import Self

from pydantic import BaseModel, Field, SecretStr


class Pace(BaseModel):
    """At most `per_window` calls in any `window_s` seconds, at least `gap_s` seconds apart; 0 for no limit."""

    per_window: int = Field(ge=0)
    window_s: float = Field(default=60, gt=0)
    gap_s: float = Field(default=0, ge=0)

    @property
    def unlimited(self) -> bool:
        return self.per_window == 0

    @classmethod
    def parse(cls, text: str) -> Self:
        """From "10/60s+1s" (ten in any sixty seconds, a second apart), "10/60s" or "unlimited"."""
        if text.strip() == "unlimited":
            return cls(per_window=0)
        rate, _, gap = text.partition("+")
        count, _, window = rate.partition("/")
        try:
            return cls(per_window=int(count), window_s=_seconds(window or "60s"), gap_s=_seconds(gap or "0s"))
        except ValueError:
            raise ValueError(f'{text!r} is no pace; write "10/60s+1s", "50/60s" or "unlimited"') from None

    def __str__(self) -> str:
        return "unlimited" if self.unlimited else f"{self.per_window}/{self.window_s:g}s+{self.gap_s:g}s"


def _seconds(text: str) -> float:
    return float(text.strip().removesuffix("s"))


class Provider(BaseModel):
    """Where a provider is reached; `sandbox` says that it is the pretended one."""

    base_url: str
    key: SecretStr
    sandbox: bool


class Google(BaseModel):
    """Where Google is reached, and who we are there."""

    client_id: str
    client_secret: SecretStr
    api_url: str
    auth_url: str
    token_url: str
    userinfo_url: str
    sandbox: bool

    @classmethod
    def pretended(cls, base: str) -> Self:
        return cls(
            client_id="sandbox-client",
            client_secret=SecretStr("sandbox"),
            api_url=base,
            auth_url=f"{base}/o/oauth2/v2/auth",
            token_url=f"{base}/token",
            userinfo_url=f"{base}/v1/userinfo",
            sandbox=True,
        )
