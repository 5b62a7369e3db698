"""The schema of the environment: everything that can be configured, with its default and its meaning.

Origins, strongest first: arguments, environment, `.env`, and the file that a development stack leaves for the CLI.
"""

from pathlib import Path
from typing import Self

from pydantic import AliasChoices, BaseModel, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

STACK_FILE = Path(".greenroom/stack.env")


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


class Price(BaseModel):
    """US dollars for a million tokens."""

    input_usd: float = Field(ge=0)
    output_usd: float = Field(ge=0)


class Settings(BaseSettings):
    """What can be configured. Secrets never print; `greenroom config show` tells where each value came from."""

    model_config = SettingsConfigDict(
        env_prefix="GREENROOM_", env_file=(STACK_FILE, ".env"), extra="ignore", populate_by_name=True, frozen=True
    )

    # Postgres, one URL for each role.
    database_url: str = Field(default="", validation_alias=AliasChoices("DATABASE_URL", "database_url"))
    database_crossing_url: str = Field(
        default="", validation_alias=AliasChoices("DATABASE_CROSSING_URL", "database_crossing_url")
    )
    database_owner_url: str = Field(
        default="", validation_alias=AliasChoices("DATABASE_OWNER_URL", "database_owner_url")
    )

    # Web search for people and companies.
    perplexity_api_key: SecretStr = Field(
        default=SecretStr(""), validation_alias=AliasChoices("PERPLEXITY_API_KEY", "perplexity_api_key")
    )
    perplexity_base_url: str = Field(
        default="https://api.perplexity.ai",
        validation_alias=AliasChoices("PERPLEXITY_BASE_URL", "perplexity_base_url"),
    )
    perplexity_model: str = "perplexity/sonar"
    perplexity_pace: str = "10/60s+1s"
    perplexity_timeout_s: float = Field(default=60, gt=0)
    # S0-2.12: after a 429, wait at least this.
    perplexity_least_wait_s: float = Field(default=60, ge=0)

    # The language model that writes briefs.
    anthropic_api_key: SecretStr = Field(
        default=SecretStr(""), validation_alias=AliasChoices("ANTHROPIC_API_KEY", "anthropic_api_key")
    )
    anthropic_base_url: str = Field(
        default="https://api.anthropic.com", validation_alias=AliasChoices("ANTHROPIC_BASE_URL", "anthropic_base_url")
    )
    anthropic_model: str = "claude-sonnet-5-5"
    anthropic_pace: str = "50/60s"
    anthropic_timeout_s: float = Field(default=60, gt=0)
    anthropic_least_wait_s: float = Field(default=30, ge=0)
    anthropic_max_tokens: int = Field(default=8000, ge=500, le=21_000)
    anthropic_price: Price = Price(input_usd=3, output_usd=15)

    # Keys of our own: one signs links to pages, one hashes addresses for ids. At least 32 characters each.
    link_key: SecretStr = SecretStr("")
    hash_key: SecretStr = SecretStr("")
    link_days: int = Field(default=14, ge=1, le=365)

    # Where people reach our pages and Temporal's, for the links that we print and send.
    web_url: str = "http://127.0.0.1:8080"
    temporal_ui_url: str = "http://127.0.0.1:8233"

    # Pretended providers for each one without a key; everything made from them says "sandbox data".
    sandbox: bool = False
    sandbox_url: str = "http://127.0.0.1:8900"

    # How many calls of a provider one worker has under way at once, waiting for their turn included.
    search_slots: int = Field(default=20, ge=1)
    model_slots: int = Field(default=20, ge=1)

    log_format: str = Field(default="console", pattern="^(console|json)$")
    metrics_port: int = Field(default=0, ge=0, le=65535)
    tenant: str = ""

    @model_validator(mode="after")
    def _paces_parse(self) -> Self:
        self.paces()
        return self

    def provider(self, name: str) -> Provider:
        """The provider itself when its key is set; the sandbox only when told to."""
        key: SecretStr = getattr(self, f"{name}_api_key")
        if self.sandbox and not key.get_secret_value():
            return Provider(base_url=f"{self.sandbox_url}/{name}", key=SecretStr("sandbox"), sandbox=True)
        return Provider(base_url=getattr(self, f"{name}_base_url"), key=key, sandbox=False)

    def paces(self) -> dict[str, Pace]:
        """How often each provider may be called, by the name its client goes by."""
        return {"perplexity": Pace.parse(self.perplexity_pace), "anthropic": Pace.parse(self.anthropic_pace)}
