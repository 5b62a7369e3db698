"""What a morning brings: news and bills by interest, and of sales the day's meetings and what is new where they go.

interests ─▶ news kept │ bills that changed      wishes for sales ─▶ meetings ─▶ their briefs ─▶ facts
                       └──────────────▶ items, less what earlier digests told ◀──────────────┘
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import asyncpg

from activities.digests import gathering, mornings
from activities.digests.ports import Bill, Topic
from activities.store import bills, news
from activities.store.database import Connection
from schemas.digests import Item, ItemKind

# A bill is news for so long after it has changed, and what was told is not told again for so long.
BILLS_SERVE = timedelta(days=7)
REMEMBERED = timedelta(days=30)

MOST_BILLS = 5
MOST_MEETINGS = 20
# Of a brief whose headline rests on nothing, its first facts.
FIRST_FACTS = 3

Rows: TypeAlias = Sequence[asyncpg.Record]


async def items(connection: Connection, digest: asyncpg.Record) -> tuple[Item, ...]:
    """In the order in which they are told. A real digest holds nothing pretended."""
    topics = await news.topics(connection, digest)
    meetings = await _meetings(connection, digest) if digest["digest_sales"] else []
    facts = await _facts(connection, [row["brief_id"] for row in meetings if row["brief_id"]])
    return gathering.gather(
        [
            *_met(meetings, facts),
            *_changes(meetings, facts, digest["day"]),
            *await _bills(connection, digest, topics),
            *await _reports(connection, digest, topics),
        ],
        await _told(connection, digest),
    )


async def _meetings(connection: Connection, digest: asyncpg.Record) -> Rows:
    zone = mornings.zone_of(digest["time_zone"])
    begins, ends = (datetime.combine(digest["day"] + timedelta(days=n), time(), zone) for n in (0, 1))
    rows: Rows = await connection.fetch(
        """
        SELECT m.id, m.title, m.starts_at, b.id AS brief_id, coalesce((
            SELECT coalesce(nullif(s.name, ''), s.detail) FROM brief_subjects s
            WHERE s.brief_id = b.id AND s.kind = 'company' ORDER BY s.position LIMIT 1
          ), '') AS company
        FROM meetings m LEFT JOIN research r ON r.meeting_id = m.id
        LEFT JOIN briefs b ON b.id = r.brief_id AND (NOT b.sandbox OR $4)
        WHERE m.user_id = $1 AND m.starts_at >= $2 AND m.starts_at < $3 AND NOT m.cancelled AND m.withdrawn IS NULL
        ORDER BY m.starts_at, m.id LIMIT $5
        """,
        digest["user_id"],
        begins.astimezone(UTC),
        ends.astimezone(UTC),
        digest["sandbox"],
        MOST_MEETINGS,
    )
    return rows


async def _facts(connection: Connection, briefs: Sequence[str]) -> dict[str, Rows]:
    """By brief, those on which its headline rests before others. What a reader said is wrong is none."""
    rows = await connection.fetch(
        """
        SELECT f.brief_id, f.quote, e.url, e.title, coalesce(f.as_of, e.published) AS told_on,
          coalesce(f.id = ANY(h.rests_on), false) AS headed, f.current, f.id = ANY(b.new_claims) AS is_new,
          b.written_at, s.kind = 'company' AS of_company, coalesce(nullif(s.name, ''), s.detail, '') AS about
        FROM claims f JOIN briefs b ON b.id = f.brief_id JOIN evidence e ON e.id = f.evidence_id
        LEFT JOIN claims h ON h.brief_id = f.brief_id AND h.section = 'headline'
        LEFT JOIN brief_subjects s ON s.brief_id = f.brief_id AND s.subject_id = f.subject_id
        WHERE f.brief_id = ANY($1::uuid[]) AND f.nature = 'fact' AND NOT EXISTS (
          SELECT FROM marks m WHERE m.claim_id = f.id AND m.verdict IN ('wrong', 'wrong_person')
        )
        ORDER BY f.brief_id, headed DESC, f.position
        """,
        briefs,
    )
    return {brief_id: list(group) for brief_id, group in groupby(rows, key=lambda row: row["brief_id"])}


def _met(meetings: Rows, facts: dict[str, Rows]) -> list[Item]:
    return [_meeting(row, _headline(facts.get(row["brief_id"], ()))) for row in meetings]


def _headline(facts: Rows) -> Rows:
    return [fact for fact in facts if fact["headed"]] or facts[:FIRST_FACTS]


def _meeting(row: asyncpg.Record, facts: Rows) -> Item:
    """A meeting is of its day: moved to another, it is told again."""
    return Item(
        kind=ItemKind.MEETING,
        key=f"meeting/{row['id']}/{row['starts_at'].astimezone(UTC):%Y%m%d}",
        topic=row["company"],
        title=row["title"],
        starts_at=row["starts_at"],
        meeting_id=row["id"],
        brief_id=row["brief_id"],
        **_source(facts),
    )


def _source(facts: Rows) -> dict[str, Any]:
    """One page, as of one day: what is said of it names both."""
    if not facts:
        return {"text": "", "source": "your calendar"}
    first = facts[0]
    same = [fact for fact in facts if (fact["url"], fact["told_on"]) == (first["url"], first["told_on"])]
    return {
        "text": "\n".join(dict.fromkeys(fact["quote"] for fact in same)),
        "url": first["url"],
        "source": _outlet(first["url"]),
        "published": first["told_on"],
    }


def _changes(meetings: Rows, facts: dict[str, Rows], day: date) -> list[Item]:
    """What pages say of the companies since yesterday. A page is told once."""
    changed = []
    for row in meetings:
        new = [one for one in facts.get(row["brief_id"], ()) if one["of_company"] and _is_new(one, day)]
        pages = groupby(sorted(new, key=lambda one: str(one["url"])), key=lambda one: str(one["url"]))
        changed += [_change(row, list(page)) for _, page in pages]
    return changed


def _is_new(fact: asyncpg.Record, day: date) -> bool:
    """Dated yesterday or later; without a date, first found since then."""
    yesterday = day - timedelta(days=1)
    if fact["told_on"] is not None:
        return bool(fact["told_on"] >= yesterday)
    return bool(fact["current"] and fact["is_new"] and fact["written_at"].date() >= yesterday)


def _change(meeting: asyncpg.Record, facts: Rows) -> Item:
    first = facts[0]
    return Item(
        kind=ItemKind.CHANGE,
        key=gathering.news_key(first["url"]),
        topic=first["about"],
        title=first["title"] or first["quote"],
        meeting_id=meeting["id"],
        brief_id=meeting["brief_id"],
        **_source(facts),
    )


async def _bills(connection: Connection, digest: asyncpg.Record, topics: Sequence[Topic]) -> list[Item]:
    since = digest["day"] - BILLS_SERVE
    return [
        _bill(topic, one)
        for topic in topics
        for one in await bills.about(connection, topic.words, since, MOST_BILLS, sandbox=digest["sandbox"])
    ]


def _bill(topic: Topic, bill: Bill) -> Item:
    """News of a bill is what was last done about it."""
    done = hashlib.sha256(f"{bill.acted_on} {bill.action}".encode(errors="replace")).hexdigest()[:16]
    return Item(
        kind=ItemKind.BILL,
        key=f"bill/{bill.id}/{done}",
        topic=topic.words,
        title=bill.title,
        text="\n".join(_ended(part) for part in (bill.title, bill.action, bill.summary) if part),
        url=bill.url,
        source=f"the {bill.chamber}" if bill.chamber else "the congress",
        published=bill.acted_on or bill.updated_on,
    )


async def _reports(connection: Connection, digest: asyncpg.Record, topics: Sequence[Topic]) -> list[Item]:
    found = await news.found(connection, digest, topics)
    return [item for topic in topics for item in gathering.reported(topic.words, found.get(topic.key, ()))]


async def _told(connection: Connection, digest: asyncpg.Record) -> frozenset[str]:
    """What other digests of this user have told of late."""
    rows = await connection.fetch(
        """
        SELECT DISTINCT i.key FROM digests d JOIN digest_items i ON i.digest_id = d.id
        WHERE d.user_id = $1 AND d.day <> $2 AND d.day >= $3 AND d.status = 'ready'
        """,
        digest["user_id"],
        digest["day"],
        digest["day"] - REMEMBERED,
    )
    return frozenset(row["key"] for row in rows)


def _ended(text: str) -> str:
    """So that it does not run into what follows it."""
    return text if text.rstrip()[-1:] in ".!?" else f"{text}."


def _outlet(url: str) -> str:
    return (urlsplit(url).hostname or "").removeprefix("www.")
