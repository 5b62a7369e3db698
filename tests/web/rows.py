"""Rows for the pages to show: meetings in every state, an account in every health, and mails."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
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


@dataclass(frozen=True)
class Written:
    """A brief with a fact about Ada, one about her company, and a talking point that rests on both."""

    brief_id: str
    fact: str
    company: str
    advice: str

    @property
    def claims(self) -> tuple[str, str, str]:
        return self.fact, self.company, self.advice


async def written(house: House, brief_id: str) -> Written:
    """Claims for a brief of nothing but its headline, with all that they come from."""
    made = Written(brief_id, str(uuid4()), str(uuid4()), str(uuid4()))
    research_id = (await house.run("SELECT research_id FROM briefs WHERE id = $1", brief_id))[0]["research_id"]
    bought = [await _bought(house, brief_id, str(research_id), kind) for kind in ("person", "company")]
    await _answer(house, str(research_id), "brief/3", brief_id=brief_id)
    for position, (claim_id, (subject_id, evidence_id)) in enumerate(
        zip(made.claims[:2], bought, strict=True), start=1
    ):
        await house.run(
            """
            INSERT INTO claims (tenant_id, id, brief_id, position, section, nature, subject_id, text, as_of, evidence_id,
              quote, topic)
            VALUES (current_tenant(), $1, $2, $3, $4, 'fact', $5, $6, '2026-11-03', $7, $8, 'activity')
            """,
            claim_id,
            brief_id,
            position,
            ("people", "company")[position - 1],
            subject_id,
            ("Ada gave the closing talk in Leeds.", "Lovelace opened an office in Rotterdam.")[position - 1],
            evidence_id,
            ("gave the closing talk in Leeds", "opened an office in Rotterdam")[position - 1],
        )
    await house.run(
        """
        INSERT INTO claims (tenant_id, id, brief_id, position, section, nature, text, rests_on)
        VALUES (current_tenant(), $1, $2, 3, 'talking_points', 'recommendation', 'Ask about Leeds.', $3)
        """,
        made.advice,
        brief_id,
        [made.fact, made.company],
    )
    return made


async def _bought(house: House, brief_id: str, research_id: str, kind: str) -> tuple[str, str]:
    """A subject and what was found about it: the ids of both."""
    subject_id, evidence_id, key = str(uuid4()), str(uuid4()), uuid4().hex[:16]
    person = (f"ada-{key}@lovelace.example", key) if kind == "person" else (None, None)
    await house.run(
        """
        INSERT INTO subjects (tenant_id, id, kind, email, key, name, domain, fresh_until)
        VALUES (current_tenant(), $1, $2, $3, $4, $5, $6, $7)
        """,
        subject_id,
        kind,
        *person,
        "Ada Lovelace",
        "lovelace.example",
        NOW + 9 * DAY,
    )
    answer_id = await _answer(house, research_id, f"{kind}/1", subject_id=subject_id)
    await house.run(
        """
        INSERT INTO evidence (tenant_id, id, answer_id, subject_id, position, url, title, text, published, fetched_at)
        VALUES (current_tenant(), $1, $2, $3, 1, $4, 'Forecasts fail quietly', 'x', '2026-11-03', $5)
        """,
        evidence_id,
        answer_id,
        subject_id,
        f"https://www.forecastforum.example/{kind}",
        NOW - HOUR,
    )
    await house.run(
        "INSERT INTO brief_evidence (tenant_id, brief_id, evidence_id, position) VALUES (current_tenant(), $1, $2, $3)",
        brief_id,
        evidence_id,
        1 if kind == "person" else 2,
    )
    await house.run(
        """
        INSERT INTO brief_subjects (tenant_id, brief_id, subject_id, position, kind, name, detail)
        VALUES (current_tenant(), $1, $2, $3, $4, $5, '')
        """,
        brief_id,
        subject_id,
        1 if kind == "person" else 2,
        kind,
        "Ada Lovelace" if kind == "person" else "Lovelace Analytics",
    )
    return subject_id, evidence_id


async def _answer(house: House, research_id: str, prompt: str, **of: str) -> str:
    answer_id = str(uuid4())
    await house.run(
        """
        INSERT INTO answers (tenant_id, id, subject_id, brief_id, research_id, version, asked, provider, model, said,
          input_tokens, output_tokens, cost_micro_usd, sandbox, asked_at, fresh_until, prompt, workflow_id, run_id)
        VALUES (current_tenant(), $1, $2, $3, $4, 1, $5, 'searcher', 'a model', '{}', 1200, 340, 12300, true, $6, $7, $8,
          $9, $10)
        """,
        answer_id,
        of.get("subject_id"),
        of.get("brief_id"),
        research_id,
        sha256(answer_id.encode()).hexdigest(),
        NOW - HOUR,
        NOW + 9 * DAY,
        prompt,
        f"research/{house.tenant.id}/{research_id}",
        str(uuid4()),
    )
    return answer_id
