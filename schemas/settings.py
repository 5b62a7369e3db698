"""The schema of the environment: everything that can be configured, with its default and its meaning.

Origins, strongest first: arguments, environment, `.env`, and the file that a development stack leaves for the CLI.
"""

from pathlib import Path
from typing import Self

from pydantic import AliasChoices, Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from schemas.brands import BASES, KEYS, PRICES
from schemas.budgets import DOLLAR, Caps, Price
from schemas.providers import Google, Pace, Provider
from schemas.slots import Slots

STACK_FILE = Path(".greenroom/stack.env")


# The most that a cap can be: more is a slip of the hand.
MOST_USD = 1_000_000


class Settings(Slots):
    """What can be configured. Secrets never print; `greenroom config show` tells where each value came from."""

    model_config = SettingsConfigDict(
        env_prefix="GREENROOM_", env_file=(STACK_FILE, ".env"), extra="ignore", populate_by_name=True, frozen=True
    )

    # Postgres, one URL for each role. They may hold a password, so they do not print.
    database_url: str = Field(default="", repr=False, validation_alias=AliasChoices("DATABASE_URL", "database_url"))
    database_crossing_url: str = Field(
        default="", repr=False, validation_alias=AliasChoices("DATABASE_CROSSING_URL", "database_crossing_url")
    )
    database_owner_url: str = Field(
        default="", repr=False, validation_alias=AliasChoices("DATABASE_OWNER_URL", "database_owner_url")
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
    # Writes when the budget does not last for the other; empty for none.
    anthropic_small_model: str = "claude-haiku-5-5"
    anthropic_pace: str = "50/60s"
    anthropic_timeout_s: float = Field(default=60, gt=0)
    anthropic_least_wait_s: float = Field(default=30, ge=0)
    anthropic_max_tokens: int = Field(default=8000, ge=500, le=21_000)

    # The language model that reads transcripts of calls, "provider/model": Gemini's, or one of Anthropic's.
    transcript_model: str = Field(default="gemini/gemini-3.5-flash", pattern=r"^(gemini|anthropic)/[\w.-]{1,100}$")
    gemini_api_key: SecretStr = Field(
        default=SecretStr(""), validation_alias=AliasChoices("GEMINI_API_KEY", "gemini_api_key")
    )
    gemini_base_url: str = Field(
        default="https://generativelanguage.googleapis.com",
        validation_alias=AliasChoices("GEMINI_BASE_URL", "gemini_base_url"),
    )
    gemini_pace: str = "60/60s"
    # A part of a long transcript takes a while to be read.
    transcript_timeout_s: float = Field(default=120, gt=0)
    # Thoughts count.
    transcript_max_tokens: int = Field(default=16_000, ge=1000, le=65_000)

    # What records calls, for each tenant that has one: Gong's limits, of which a day's is a company's own.
    gong_pace: str = "3/1s"
    gong_day_pace: str = "10000/86400s"
    gong_timeout_s: float = Field(default=30, gt=0)
    # How often calls are looked for of which nothing was heard.
    call_sweep_every_s: int = Field(default=3600, ge=1)

    # Finds the news that digests tell of; and where bills are published.
    brave_api_key: SecretStr = Field(
        default=SecretStr(""), validation_alias=AliasChoices("BRAVE_API_KEY", "brave_api_key")
    )
    brave_base_url: str = "https://api.search.brave.com"
    brave_pace: str = "50/1s"
    congress_api_key: SecretStr = Field(
        default=SecretStr(""), validation_alias=AliasChoices("CONGRESS_API_KEY", "congress_api_key")
    )
    congress_base_url: str = "https://api.congress.gov"
    congress_pace: str = "5000/3600s"
    # How often bills are loaded, when there is a key.
    bills_every_s: int = Field(default=21_600, ge=1)
    news_timeout_s: float = Field(default=20, gt=0)

    # Speaks digests: its model and its two voices. So many calls at once are what the plan allows (a free one 2).
    elevenlabs_api_key: SecretStr = Field(
        default=SecretStr(""), validation_alias=AliasChoices("ELEVENLABS_API_KEY", "elevenlabs_api_key")
    )
    elevenlabs_base_url: str = "https://api.elevenlabs.io"
    elevenlabs_model: str = "eleven_v3"
    elevenlabs_voices: tuple[str, str] = ("JBFqnCBsd6RMkjVDRZzb", "EXAVITQu4vr4xnSDxMaL")
    elevenlabs_at_once: int = Field(default=2, ge=1)
    elevenlabs_timeout_s: float = Field(default=240, gt=0)

    # Where audio is kept: a folder (file:///...), or s3://bucket/prefix with the keys of its store.
    objects_url: str = ""
    objects_endpoint: str = ""
    objects_region: str = "us-east-1"
    objects_access_key: SecretStr = SecretStr("")
    objects_secret_key: SecretStr = SecretStr("")
    # Whether a digest is spoken at all, for those who want that.
    digest_audio: bool = True

    # Whether a tenant's endpoint may be on this machine or in a private network: for development alone.
    private_endpoints: bool = False
    endpoint_timeout_s: float = Field(default=15, gt=0)

    # Skills: a folder that holds a folder for each, or s3://bucket/prefix with the object store's keys. Empty: ours.
    skills_url: str = ""
    # Runs of a tenant at once, over all workers.
    skills_at_once: int = Field(default=5, ge=1)
    skill_timeout_s: float = Field(default=540, gt=0)

    # Documents: what makes vectors of their clauses; how many steps of a tenant are under way at once, over all workers
    # (S4-16); and where references lie that a bootstrap takes in: a folder, or s3://bucket/prefix.
    voyage_api_key: SecretStr = Field(
        default=SecretStr(""), validation_alias=AliasChoices("VOYAGE_API_KEY", "voyage_api_key")
    )
    voyage_base_url: str = "https://api.voyageai.com"
    voyage_model: str = "voyage-4"
    # S4-5: 200 ms between two calls.
    voyage_pace: str = "300/60s+0.2s"
    voyage_timeout_s: float = Field(default=30, gt=0)
    parsing_at_once: int = Field(default=10, ge=1)
    embeddings_at_once: int = Field(default=3, ge=1)
    analysis_at_once: int = Field(default=5, ge=1)
    comparison_at_once: int = Field(default=3, ge=1)
    generation_at_once: int = Field(default=5, ge=1)
    references_url: str = ""
    # What one file's reading may take: it is done in a process of its own.
    parsing_timeout_s: float = Field(default=60, gt=0)
    parsing_memory_mb: int = Field(default=768, ge=128)

    # Who tells users something beside mail. The token of a bot is made by Telegram's BotFather; a webhook of Slack's has
    # its secret in its address.
    telegram_token: SecretStr = Field(
        default=SecretStr(""), validation_alias=AliasChoices("TELEGRAM_BOT_TOKEN", "telegram_token")
    )
    telegram_base_url: str = "https://api.telegram.org"
    slack_base_url: str = "https://hooks.slack.com"
    message_timeout_s: float = Field(default=10, gt=0)

    # What calls cost; whatever is named here stands beside, or instead of, what is known already.
    prices: dict[str, Price] = PRICES
    # US dollars: for one run, for all runs of one meeting, for a tenant's month. A tenant may have its own.
    budget_run_usd: float = Field(default=2, ge=0, le=MOST_USD, allow_inf_nan=False)
    budget_meeting_usd: float = Field(default=5, ge=0, le=MOST_USD, allow_inf_nan=False)
    budget_month_usd: float = Field(default=200, ge=0, le=MOST_USD, allow_inf_nan=False)

    # The calendar that is read, and the accounts that people sign in with.
    google_client_id: str = Field(default="", validation_alias=AliasChoices("GOOGLE_CLIENT_ID", "google_client_id"))
    google_client_secret: SecretStr = Field(
        default=SecretStr(""), validation_alias=AliasChoices("GOOGLE_CLIENT_SECRET", "google_client_secret")
    )
    google_api_url: str = "https://www.googleapis.com"
    google_auth_url: str = "https://accounts.google.com/o/oauth2/v2/auth"
    google_token_url: str = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
    google_userinfo_url: str = "https://openidconnect.googleapis.com/v1/userinfo"
    # Google's limit for a project, 10,000 a minute, as a short log; and for each user of it.
    google_pace: str = "160/1s"
    google_user_pace: str = "600/60s"
    google_timeout_s: float = Field(default=20, gt=0)
    # For how long a push channel is asked; the answer says how long it lives.
    google_channel_s: int = Field(default=604_800, ge=60)

    # How often a calendar is read when nothing is heard of it, and when its silence is told to its user.
    poll_every_s: int = Field(default=900, ge=1)
    dark_after_s: int = Field(default=7200, ge=60)

    # Mail: smtp://user:password@host:587 (STARTTLS, but on this machine), smtps://...:465. Without it none is sent.
    smtp_url: SecretStr = SecretStr("")
    sandbox_smtp_url: str = "smtp://127.0.0.1:8925"
    mail_from: str = "Greenroom <greenroom@localhost>"
    smtp_timeout_s: float = Field(default=10, gt=0)

    # Keys of our own: one signs links to pages, one hashes addresses for ids, one encrypts sessions. At least 32
    # characters each.
    link_key: SecretStr = SecretStr("")
    hash_key: SecretStr = SecretStr("")
    session_key: SecretStr = SecretStr("")
    # What encrypts the tokens of connections: "id:key,id:key", the first for what is new. Made by `greenroom keys new`.
    token_keys: SecretStr = SecretStr("")
    # What encrypts all that Temporal keeps of our runs: the like, and all of them open. Without a key nothing starts,
    # unless the codec is off; then nothing new is encrypted, and what is can be read with the keys that are set.
    payload_keys: SecretStr = SecretStr("")
    payload_codec: str = Field(default="on", pattern="^(on|off)$")
    link_days: int = Field(default=14, ge=1, le=365)

    # Where people reach our pages and Temporal's, for the links that we print and send.
    web_url: str = "http://127.0.0.1:8080"
    temporal_ui_url: str = "http://127.0.0.1:8233"

    # Pretended providers for each one without a key; everything made from them says "sandbox data".
    sandbox: bool = False
    sandbox_url: str = "http://127.0.0.1:8900"

    # Where calendars send their notifications; by default below web_url. Google wants https.
    webhook_url: str = ""

    log_format: str = Field(default="console", pattern="^(console|json)$")
    metrics_port: int = Field(default=0, ge=0, le=65535)
    tenant: str = ""

    @field_validator("prices")
    @classmethod
    def _beside_those_known(cls, given: dict[str, Price]) -> dict[str, Price]:
        return {**PRICES, **given}

    @model_validator(mode="after")
    def _paces_parse(self) -> Self:
        self.paces()
        return self

    def provider(self, name: str) -> Provider:
        """The provider itself when its key is set; the sandbox only when told to."""
        key: SecretStr = getattr(self, KEYS[name])
        if self.sandbox and not key.get_secret_value():
            return Provider(base_url=f"{self.sandbox_url}/{name}", key=SecretStr("sandbox"), sandbox=True)
        return Provider(base_url=getattr(self, BASES[name]), key=key, sandbox=False)

    def google(self) -> "Google":
        """Google, or the sandbox's: one base for what Google has on several hosts."""
        if self.sandbox and not self.google_client_secret.get_secret_value():
            return Google.pretended(f"{self.sandbox_url}/google")
        return Google(
            client_id=self.google_client_id,
            client_secret=self.google_client_secret,
            api_url=self.google_api_url,
            auth_url=self.google_auth_url,
            token_url=self.google_token_url,
            userinfo_url=self.google_userinfo_url,
            sandbox=False,
        )

    def without_codec(self) -> Self:
        """For whoever reads nothing of what Temporal keeps of runs."""
        return self.model_copy(update={"payload_codec": "off", "payload_keys": SecretStr("")})

    def caps(self) -> Caps:
        """What a tenant without caps of its own may spend."""
        return Caps(
            run_micro_usd=round(self.budget_run_usd * DOLLAR),
            meeting_micro_usd=round(self.budget_meeting_usd * DOLLAR),
            month_micro_usd=round(self.budget_month_usd * DOLLAR),
        )

    def unpriced(self) -> list[str]:
        """The models that are not called, since nobody knows what that costs."""
        models = {f"anthropic/{one}" for one in (self.anthropic_model, self.anthropic_small_model) if one}
        models |= {"brave/news", f"elevenlabs/{self.elevenlabs_model}", f"voyage/{self.voyage_model}"}
        return sorted({f"perplexity/{self.perplexity_model}", self.transcript_model, *models} - set(self.prices))

    def smtp(self) -> tuple[str, bool]:
        """The address of the mail server, empty for none, and whether it is the sandbox's."""
        url = self.smtp_url.get_secret_value()
        return (self.sandbox_smtp_url, True) if self.sandbox and not url else (url, False)

    def slack(self) -> tuple[str, bool]:
        """Where webhooks of Slack's are, and whether that is the sandbox's: they need no key of ours."""
        return (f"{self.sandbox_url}/slack", True) if self.sandbox else (self.slack_base_url, False)

    def notifications_url(self) -> str:
        """Where a calendar's provider sends its notifications."""
        return self.webhook_url or f"{self.web_url.rstrip('/')}/webhooks/google-calendar"

    def paces(self) -> dict[str, Pace]:
        """How often each provider may be called, by the name its client goes by; "google/user" is for each user."""
        return {
            "perplexity": Pace.parse(self.perplexity_pace),
            "anthropic": Pace.parse(self.anthropic_pace),
            "google": Pace.parse(self.google_pace),
            "google/user": Pace.parse(self.google_user_pace),
            "gemini": Pace.parse(self.gemini_pace),
            "gong/company": Pace.parse(self.gong_pace),
            "gong/day": Pace.parse(self.gong_day_pace),
            "brave": Pace.parse(self.brave_pace),
            "congress": Pace.parse(self.congress_pace),
            "voyage": Pace.parse(self.voyage_pace),
        }
