"""Rows for the pages to show: meetings in every state, an account in every health, and mails."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from schemas.meetings import Standing
from tests.web.house import CAMPAIGN, NOW, House

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def calendar(house: House, account: str = "", **columns: Any) -> tuple[str, str]:
    """An account and its calendar; their ids."""
    connection_id, calendar_id = str(uuid4()), str(uuid4())
    status = columns.pop("status", "active")
    sandbox = columns.pop("sandbox", False)
    await house.run(
        """
        INSERT INTO connections (tenant_id, id, user_id, provider, account, status, scopes, key_id, sealed, expires_at,
          sandbox, connected_at)
        VALUES (current_tenant(), $1, $2, 'google', $3, $4, '{}', 'k', '', $5, $6, $7)
        """,
        connection_id,
        house.user.id,
        account or house.user.email,
        status,
        NOW + HOUR,
        sandbox,
        NOW - 3 * DAY,
    )
    await house.run(
        """
        INSERT INTO calendars (tenant_id, id, connection_id, user_id, provider_key, campaign_id, read_at, pushed_at,
          failing_since, failure)
        VALUES (current_tenant(), $1, $2, $3, $4, $5, $6, $7, $8, $9)
        """,
        calendar_id,
        connection_id,
        house.user.id,
        account or house.user.email,
        columns.get("campaign_id"),
        columns.get("read_at", NOW - timedelta(minutes=4)),
        columns.get("pushed_at", NOW - timedelta(minutes=11)),
        columns.get("failing_since"),
        columns.get("failure"),
    )
    await house.run(
        """
        INSERT INTO subscriptions (tenant_id, id, calendar_id, status, token_hash, created_at, expires_at)
        VALUES (current_tenant(), $1, $2, 'active', '', $3, $4)
        """,
        str(uuid4()),
        calendar_id,
        NOW - DAY,
        NOW + 6 * DAY,
    )
    return connection_id, calendar_id


async def meeting(house: House, title: str, starts_at: datetime, *guests: tuple[str, str], **more: Any) -> str:
    """A meeting with people from outside; its id."""
    meeting_id = str(uuid4())
    await house.run(
        """
        INSERT INTO meetings (tenant_id, id, user_id, campaign_id, source, source_key, title, starts_at, ends_at,
          created_at, calendar_id, withdrawn, cancelled)
        VALUES (current_tenant(), $1, $2, $3, 'test', $1::uuid::text, $4, $5, $6, $7, $8, $9, $9::text IS NOT NULL)
        """,
        meeting_id,
        house.user.id,
        more.get("campaign_id", house.campaign.id),
        title,
        starts_at,
        more.get("ends_at", starts_at + HOUR),
        NOW - DAY,
        more.get("calendar_id"),
        more.get("withdrawn"),
    )
    everybody = [(email, name, Standing.PROSPECT) for name, email in guests] + more.get("others", [])
    for email, name, standing in everybody:
        await house.run(
            "INSERT INTO attendees (tenant_id, meeting_id, email, name, standing) VALUES (current_tenant(), $1, $2, $3, $4)",
            meeting_id,
            email,
            name,
            standing.value,
        )
    return meeting_id


async def research(house: House, meeting_id: str, status: str, *, version: int = 0, reason: str | None = None) -> None:
    await house.run(
        """
        INSERT INTO research (tenant_id, id, kind, user_id, campaign_id, meeting_id, requested_at, status, version,
          failed_step, failure_reason)
        VALUES (current_tenant(), $1, 'calendar', $2, $3, $1, $4, $5, $6, CASE WHEN $7::text IS NOT NULL THEN 'look-up'
          END, $7)
        """,
        meeting_id,
        house.user.id,
        house.campaign.id,
        NOW - DAY,
        status,
        version,
        reason,
    )


async def brief(
    house: House, meeting_id: str, version: int = 1, confidence: str = "HIGH", *, sandbox: bool = False
) -> str:
    """A brief of nothing but its headline; its id. The research must be there."""
    brief_id = str(uuid4())
    await house.run(
        """
        INSERT INTO briefs (tenant_id, id, research_id, version, confidence, reasons, what_changed, dropped, gaps,
          cost_micro_usd, model, sandbox, written_at)
        VALUES (current_tenant(), $1, $2, $3, $4, '{}', 'First contact.', '{}', '[]', 0, 'a model', $5, $6)
        """,
        brief_id,
        meeting_id,
        version,
        confidence,
        sandbox,
        NOW - (9 - version) * HOUR,
    )
    await house.run("UPDATE research SET brief_id = $2 WHERE id = $1", meeting_id, brief_id)
    return brief_id


async def told(house: House, meeting_id: str, kind: str, status: str, reason: str | None = None) -> None:
    await house.run(
        """
        INSERT INTO notices (tenant_id, key, kind, user_id, meeting_id, status, reason, message_id, created_at, ended_at)
        VALUES (current_tenant(), $1, $2, $3, $4, $5, $6, 'm', $7, $7)
        """,
        str(uuid4()),
        kind,
        house.user.id,
        meeting_id,
        status,
        reason,
        NOW - HOUR,
    )


async def ready(house: House, title: str, starts_at: datetime, *guests: tuple[str, str], **more: Any) -> str:
    """A meeting whose brief is there."""
    confidence, sandbox = more.pop("confidence", "HIGH"), more.pop("sandbox", False)
    meeting_id = await meeting(house, title, starts_at, *guests, **more)
    await research(house, meeting_id, "ready", version=1)
    await brief(house, meeting_id, 1, confidence, sandbox=sandbox)
    return meeting_id


async def a_week(house: House) -> dict[str, str]:
    """A meeting in each state, by the state's name."""
    _, calendar_id = await calendar(house, sandbox=True)
    own = {"calendar_id": calendar_id}
    ada, tomas = ("Ada Lovelace", "ada@lovelace.example"), ("Tomas Okafor", "tomas@brightwater.example")
    mei, ines = ("Mei Tanaka", "mei.tanaka@gmail.com"), ("", "ines@halden.example")
    at = NOW.replace(minute=0)
    asleep, _ = await house.tenants.add_campaign(
        house.tenant.id, house.user.id, CAMPAIGN.model_copy(update={"name": "Last year's"}), NOW, NOW
    )
    await house.tenants.edit_campaign(house.tenant.id, asleep.model_copy(update={"active": False}), NOW, NOW)
    made = {
        "ready": await ready(
            house,
            "Forecasting pilot: where we start",
            at + 2 * HOUR,
            ada,
            tomas,
            sandbox=True,
            **own,
            others=[
                ("robin@harbour.example", "Robin", Standing.SELF),
                ("kim@harbour.example", "Kim Ito", Standing.COLLEAGUE),
                ("leo@lovelace.example", "Leo Marsh", Standing.DECLINED),
                ("room-4@harbour.example", "Room 4", Standing.ROOM),
            ],
        ),
        "over": await ready(
            house, "Renewal with Northwind", at - HOUR, ("Noor Haddad", "noor@northwind.example"), **own
        ),
        "working": await meeting(house, "Cold chain: first talk", at + 5 * HOUR, tomas, mei, ines, ada, **own),
        "failed": await meeting(house, "Halden Group, procurement", at + DAY, ines, **own),
        "medium": await ready(house, "Brightwater routing", at + DAY + 3 * HOUR, tomas, confidence="MEDIUM", **own),
        "cancelled": await meeting(house, "Demo for Lovelace", at + DAY + 5 * HOUR, ada, withdrawn="cancelled", **own),
        "waiting": await meeting(house, "Introduction to Mei", at + 3 * DAY, mei, **own),
        "asleep": await meeting(house, "Coffee with Ada", at + 4 * DAY, ada, campaign_id=asleep.id, **own),
    }
    await research(house, made["working"], "generating", version=1)
    why = "look-up: no source came back (Prospect 1 at halden.example: perplexity said 503)"
    await research(house, made["failed"], "failed", version=1, reason=why)
    await house.run("UPDATE research SET version = 2 WHERE id = $1", made["ready"])
    await brief(house, made["ready"], 2, "HIGH", sandbox=True)
    await told(house, made["ready"], "brief", "sent")
    await told(house, made["failed"], "research_failed", "failed", "the mail server refused it")
    return made
