"""Tenants, their users and campaigns, as the CLI and the pages know them."""

from datetime import datetime

from pydantic import Field

from schemas.base import Content, Email, RowId, TenantId


class Tenant(Content):
    id: TenantId
    slug: str
    name: str
    premium: bool = False
    # Addresses at these domains are colleagues.
    domains: tuple[str, ...] = ()


class User(Content):
    id: RowId
    email: Email
    name: str
    time_zone: str = "UTC"


class CampaignRow(Content):
    id: RowId
    user_id: RowId
    name: str
    offering: str
    target_customer: str
    pain_points: str
    active: bool = True


class NewCampaign(Content):
    """What a user sells: three texts that the brief is written for."""

    name: str = Field(min_length=1, max_length=100)
    offering: str = Field(min_length=1, max_length=2000)
    target_customer: str = Field(min_length=1, max_length=2000)
    pain_points: str = Field(min_length=1, max_length=2000)


class RunRow(Content):
    """A research as its row says it stands."""

    id: RowId
    kind: str
    title: str
    campaign: str
    status: str
    version: int
    brief_id: RowId | None
    failure_reason: str | None
    requested_at: datetime
    begun_at: datetime | None
    ended_at: datetime | None


class BriefLine(Content):
    """A brief in a list."""

    id: RowId
    title: str
    version: int
    confidence: str
    claims: int
    sandbox: bool
    written_at: datetime


class EventKey(Content):
    """With which an application sends us events: what it is called, never the key itself."""

    id: RowId
    name: str
    created_at: datetime
    revoked_at: datetime | None = None
