"""What can be turned while the pretended Google runs. It starts as the real one behaves on a good day."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

WEEK = 7 * 24 * 3600
Share = Annotated[FiniteFloat, Field(ge=0, le=1)]
Seconds = Annotated[FiniteFloat, Field(ge=0, le=3600)]
Count = Annotated[int, Field(ge=0)]
Tries = Annotated[int, Field(ge=1, le=20)]
Life = Annotated[int, Field(ge=1, le=10 * WEEK)]
PageSize = Annotated[int, Field(ge=1, le=2500)]
Days = Annotated[FiniteFloat, Field(ge=0)]
LaterPage = Annotated[int, Field(ge=2)]


class Knobs(BaseModel):
    """Checked whenever one is turned. Notifications: each knob that draws lots draws the same ones for the same seed."""

    model_config = ConfigDict(extra="forbid", strict=True, validate_assignment=True)

    lose_notifications: bool = False
    lose_next: Count = 0
    """This many of the next notifications do not go out."""
    lose_share: Share = 0.0
    duplicate_share: Share = 0.0
    delay_notifications: Seconds = 0.0
    reorder_within: Seconds = 0.0
    """Each notification waits for some part of this, so that they overtake each other."""
    seed: int = 0
    sync_first: bool = True
    """The `sync` message goes out before the answer to `watch` does."""
    retry_seconds: Seconds = 1.0
    """The first pause before a notification is sent again; each later one is twice as long."""
    deliveries: Tries = 5
    """How often one notification is tried."""
    channel_seconds: Life = WEEK
    """The longest that a channel lives."""

    largest_page: PageSize = 2500
    sync_token_days: Days | None = None
    gone_on_page: LaterPage | None = None
    """The next listing that reaches this page ends there with a 410, once."""

    rotate_refresh_tokens: bool = False
    """Each refresh returns a new refresh token ..."""
    rotation_ends_old: bool = False
    """... and the old one is worth nothing from then on."""
