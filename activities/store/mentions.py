"""Where somebody is named: every text of a tenant is looked through, a batch at a time.

rows ─▶ Postgres picks those that may name them ─▶ the rule says which do
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from activities.mentions import Named, strings
from activities.store.database import Connection, Database
from schemas.base import RowId, TenantId

BATCH = 500

# Whom a text is about, if anybody: one who bears the same name is not who is looked for.
PLACES = {
    "evidence": "SELECT id, ARRAY[subject_id] AS about, jsonb_build_array(url, title, text) AS said FROM evidence",
    "look_ups": "SELECT id, ARRAY[subject_id] AS about, said FROM answers WHERE subject_id IS NOT NULL",
    "drafts": """
        SELECT id, ARRAY(SELECT s.subject_id FROM run_subjects s
          WHERE s.research_id = a.research_id AND s.version = a.version) AS about, said
        FROM answers a WHERE brief_id IS NOT NULL
    """,
    "briefs": """
        SELECT id, ARRAY(SELECT s.subject_id FROM brief_subjects s WHERE s.brief_id = b.id) AS about,
          jsonb_build_array(b.reasons, b.what_changed, b.gaps, b.economies,
            (SELECT jsonb_agg(jsonb_build_array(s.name, s.detail, s.candidates)) FROM brief_subjects s WHERE s.brief_id = b.id),
            (SELECT jsonb_agg(jsonb_build_array(c.text, c.quote)) FROM claims c WHERE c.brief_id = b.id)) AS said
        FROM briefs b
    """,
    "marks": "SELECT id, ARRAY[subject_id] AS about, jsonb_build_array(text, url, quote) AS said FROM marks",
    "profiles": "SELECT id, ARRAY[id] AS about, profile AS said FROM subjects",
    "meetings": """
        SELECT id, ARRAY(SELECT p.subject_id FROM research_prospects p WHERE p.research_id = m.id) AS about,
          jsonb_build_array(title) AS said
        FROM meetings m
    """,
    "campaigns": """
        SELECT id, ARRAY[]::uuid[] AS about, jsonb_build_array(name, offering, target_customer, pain_points) AS said
        FROM campaigns
    """,
    "calls": """
        SELECT id, ARRAY(
            SELECT p.id FROM subjects p JOIN speakers s ON s.email = p.email WHERE s.call_id = c.id
          ) AS about,
          jsonb_build_array(title, (SELECT turns FROM transcripts t WHERE t.call_id = c.id),
            (SELECT jsonb_agg(jsonb_build_array(s.key, s.name, s.email, s.role)) FROM speakers s WHERE s.call_id = c.id),
            (SELECT jsonb_agg(jsonb_build_array(f.text, f.quote, f.owner)) FROM findings f WHERE f.call_id = c.id),
            (SELECT jsonb_agg(r.answer) FROM readings r WHERE r.call_id = c.id)) AS said
        FROM calls c
    """,
    "records": "SELECT id, ARRAY[]::uuid[] AS about, data AS said FROM records",
    # What cannot be jsonb is looked into as the text that it is.
    "received": """
        SELECT id, ARRAY[]::uuid[] AS about, jsonb_build_array(key, payload::text) AS said FROM received
    """,
    "letters": "SELECT id, ARRAY[]::uuid[] AS about, jsonb_build_array(subject, body) AS said FROM letters",
    "digests": """
        SELECT id, ARRAY[]::uuid[] AS about,
          jsonb_build_array(chapters, topics, (SELECT jsonb_agg(jsonb_build_array(i.topic, i.title, i.text, i.url, i.source))
              FROM digest_items i WHERE i.digest_id = d.id),
            (SELECT jsonb_agg(jsonb_build_array(l.text, l.quote)) FROM digest_lines l WHERE l.digest_id = d.id),
            (SELECT jsonb_agg(a.answer) FROM digest_answers a WHERE a.digest_id = d.id)) AS said
        FROM digests d
    """,
    # The text of an output is where files are kept; it is as it was answered.
    "skill_runs": """
        SELECT id, ARRAY[]::uuid[] AS about,
          jsonb_build_array(message, inputs, client, draft, written, failure_reason,
            (SELECT jsonb_agg(jsonb_build_array(s.reply->'text', s.reply->'calls')) FROM skill_replies s WHERE s.skill_run_id = r.id),
            (SELECT jsonb_agg(jsonb_build_array(o.title, o.preview)) FROM outputs o WHERE o.skill_run_id = r.id),
            (SELECT jsonb_agg(f.issues) FROM feedback f WHERE f.skill_run_id = r.id)) AS said
        FROM skill_runs r
    """,
    "documents": """
        SELECT id, ARRAY[]::uuid[] AS about, jsonb_build_array(name, source, text) AS said FROM documents
    """,
    # Of a document that does not name them, these may quote one that does.
    "document_runs": """
        SELECT id, ARRAY[]::uuid[] AS about,
          jsonb_build_array(reason, message, summary, notes, letter, failure_reason,
            (SELECT jsonb_agg(jsonb_build_array(f.said, f.quote)) FROM document_findings f WHERE f.document_run_id = r.id),
            (SELECT jsonb_agg(jsonb_build_array(d.said, d.ours, d.theirs)) FROM document_differences d
              WHERE d.document_run_id = r.id),
            (SELECT jsonb_agg(jsonb_build_array(p.passage, p.replacement, p.reason)) FROM document_proposals p
              WHERE p.document_run_id = r.id),
            (SELECT jsonb_agg(a.reply->'text') FROM document_replies a WHERE a.document_run_id = r.id)) AS said
        FROM document_runs r
    """,
    "news": "SELECT id, ARRAY[]::uuid[] AS about, found AS said FROM news WHERE found IS NOT NULL",
}

# As `activities.plain.unmarked` has it, near enough to leave nothing out.
_UNMARKED = (
    "replace(regexp_replace(normalize(lower(said::text), NFKD), U&'[\\0300-\\036f]', '', 'g'), U&'\\00DF', 'ss')"
)


@dataclass
class Mentions:
    """Ids of rows that name somebody, by place; and profiles that do, as they were and as they are to be."""

    rows: dict[str, list[RowId]] = field(default_factory=lambda: {place: [] for place in PLACES})
    profiles: list[tuple[RowId, dict[str, Any], dict[str, Any]]] = field(default_factory=list)

    def note(self, place: str, row: asyncpg.Record, person: Named, *, by_name: bool) -> None:
        """The row, if it names them."""
        if not _names(row["said"], person, by_name=by_name):
            return
        self.rows[place].append(row["id"])
        if place == "profiles":
            self.profiles.append((row["id"], row["said"], _without(row["said"], person, by_name=by_name)))


async def find(
    database: Database, tenant_id: TenantId, person: Named, *, but: frozenset[str] = frozenset()
) -> Mentions:
    """All places but these, searched for a person."""
    mentions = Mentions()
    async with database.tenant(tenant_id) as connection:
        namesakes = await _namesakes(connection, person)
    for place in PLACES.keys() - but:
        async for row in _candidates(database, tenant_id, place, person):
            mentions.note(place, row, person, by_name=not namesakes & set(row["about"]))
    return mentions


async def _namesakes(connection: Connection, person: Named) -> frozenset[RowId]:
    """Other people who are known by the same name: what is said of them is not said of this one."""
    rows = await connection.fetch(
        """
        SELECT s.id, s.name, s.email, ARRAY(SELECT DISTINCT a.name FROM attendees a WHERE a.email = s.email) AS called
        FROM subjects s WHERE s.kind = 'person'
        """
    )
    return frozenset(
        row["id"]
        for row in rows
        if not person.by_address(row["email"]) and any(map(person.by_name, (row["name"], *row["called"])))
    )


async def _candidates(
    database: Database, tenant_id: TenantId, place: str, person: Named
) -> AsyncIterator[asyncpg.Record]:
    """Rows that may name them. Each batch is a transaction of its own, however much there is."""
    after: RowId | None = None
    while True:
        async with database.tenant(tenant_id) as connection:
            rows = await connection.fetch(
                f"""
                WITH batch AS (
                  SELECT * FROM ({PLACES[place]}) place WHERE $1::uuid IS NULL OR id > $1 ORDER BY id LIMIT {BATCH}
                ), near AS (
                  SELECT id, about, CASE WHEN {_UNMARKED} LIKE ANY($2) OR position('\\u' IN said::text) > 0 THEN said END AS said FROM batch
                )
                SELECT * FROM near WHERE said IS NOT NULL OR id = (SELECT id FROM batch ORDER BY id DESC LIMIT 1)
                ORDER BY id
                """,  # noqa: S608 - put together from constants
                after,
                person.patterns,
            )
        for row in rows:
            if row["said"] is not None:
                yield row
        if not rows:
            return
        after = rows[-1]["id"]


def _names(said: object, person: Named, *, by_name: bool) -> bool:
    return any(person.by_address(text) or (by_name and person.by_name(text)) for text in strings(said))


def _without(profile: dict[str, Any], person: Named, *, by_name: bool) -> dict[str, Any]:
    """What is known of somebody else, less the parts that name the person."""
    return {key: _less(value, person, by_name=by_name) for key, value in profile.items()}


def _less(value: Any, person: Named, *, by_name: bool) -> Any:
    if isinstance(value, list):
        return [one for one in value if not _names(one, person, by_name=by_name)]
    return "" if _names(value, person, by_name=by_name) else value
