"""Dossiers: everything that is kept about an address, for whoever asks what that is."""

from typing import Any, TypeVar

from activities.attendance import unplussed
from activities.mentions import Named
from activities.store import forgetting, mentions
from activities.store.database import Connection, Database, patient
from activities.store.unsaid import BARE
from schemas.base import Content, Email, PersonKey, TenantId
from schemas.erasures import Attendance, BriefTitle, Came, Dossier, Known, LookedUp, Marked, Page, Request, Said, Spoke

D = TypeVar("D", bound=Content)


class DossierStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    @patient
    async def dossier(self, tenant_id: TenantId, email: Email, key: PersonKey) -> Dossier:
        """Under whichever +tag. What names them in texts about others is there too."""
        bare = unplussed(email)
        async with self._database.tenant(tenant_id) as connection:
            person = Named(bare, tuple(await forgetting.names(connection, bare)))
        named = await mentions.find(self._database, tenant_id, person)
        async with self._database.tenant(tenant_id) as connection:
            people = await _all(connection, Known, _PEOPLE, bare)
            ids = [one.id for one in people]
            return Dossier(
                email=bare,
                suppressed=await connection.fetchval(_SUPPRESSED, key),
                people=people,
                meetings=await _all(connection, Attendance, _MEETINGS, bare),
                requests=await _all(connection, Request, _REQUESTS, ids),
                look_ups=await _all(connection, LookedUp, _LOOK_UPS, ids),
                pages=await _all(connection, Page, _PAGES, ids, named.rows["evidence"]),
                claims=await _all(connection, Said, _CLAIMS, ids),
                marks=await _all(connection, Marked, _MARKS, ids, named.rows["marks"]),
                briefs=await _all(connection, BriefTitle, _BRIEFS, ids, named.rows["briefs"], named.rows["evidence"]),
                calls=await _all(connection, Spoke, _CALLS, bare, named.rows["calls"]),
                came=await _all(
                    connection,
                    Came,
                    _CAME,
                    *(
                        named.rows[place]
                        for place in (
                            *("records", "letters", "received", "digests", "news", "skill_runs"),
                            *("documents", "document_runs"),
                        )
                    ),
                ),
            )


async def _all(connection: Connection, shape: type[D], query: str, *values: Any) -> tuple[D, ...]:
    rows = await connection.fetch(query, *values)
    return tuple(shape.model_validate(dict(row)) for row in rows)


_SUPPRESSED = """
SELECT EXISTS (
  SELECT FROM suppressions WHERE key = encode(sha256(convert_to('suppressed/' || $1::text, 'UTF8')), 'hex')
)
"""

_PEOPLE = f"""
SELECT id, email, name, domain AS company_domain, last_researched_at, profile FROM subjects
WHERE kind = 'person' AND {BARE} = $1 ORDER BY email
"""  # noqa: S608 - put together from constants

_MEETINGS = f"""
SELECT a.meeting_id, m.title, m.starts_at, a.email, a.name, a.standing
FROM attendees a JOIN meetings m ON m.id = a.meeting_id WHERE {BARE} = $1 ORDER BY m.starts_at, m.id
"""  # noqa: S608 - put together from constants

_REQUESTS = """
SELECT r.id, r.kind, r.status, r.requested_at FROM research r
WHERE EXISTS (SELECT FROM research_prospects p WHERE p.research_id = r.id AND p.subject_id = ANY($1::uuid[]))
ORDER BY r.requested_at, r.id
"""

_LOOK_UPS = """
SELECT id, provider, model, asked_at, said FROM answers WHERE subject_id = ANY($1::uuid[]) ORDER BY asked_at, id
"""

_PAGES = """
SELECT id, subject_id = ANY($1::uuid[]) AS about_them, url, title, text, fetched_at FROM evidence
WHERE subject_id = ANY($1::uuid[]) OR id = ANY($2::uuid[]) ORDER BY fetched_at, id
"""

_CLAIMS = """
SELECT c.brief_id, c.text, c.quote, e.url, b.written_at
FROM claims c JOIN briefs b ON b.id = c.brief_id LEFT JOIN evidence e ON e.id = c.evidence_id
WHERE c.subject_id = ANY($1::uuid[]) ORDER BY b.written_at, c.brief_id, c.position
"""

_MARKS = """
SELECT verdict, text, quote, created_at FROM marks
WHERE subject_id = ANY($1::uuid[]) OR id = ANY($2::uuid[]) ORDER BY created_at, id
"""

_BRIEFS = """
SELECT b.id, coalesce(m.title, '') AS title, b.version, b.written_at,
  (SELECT s.identity FROM brief_subjects s WHERE s.brief_id = b.id AND s.subject_id = ANY($1::uuid[]) LIMIT 1) AS identity
FROM briefs b JOIN research r ON r.id = b.research_id LEFT JOIN meetings m ON m.id = r.meeting_id
WHERE b.id = ANY($2::uuid[])
  OR EXISTS (SELECT FROM claims c WHERE c.brief_id = b.id AND c.evidence_id = ANY($3::uuid[]))
  OR EXISTS (SELECT FROM brief_subjects s WHERE s.brief_id = b.id AND s.subject_id = ANY($1::uuid[]))
ORDER BY b.written_at, b.id
"""

_CALLS = f"""
SELECT c.id, c.title, c.started_at, s.name, ARRAY(
    SELECT turn->>3 FROM transcripts t, jsonb_array_elements(t.turns) turn WHERE t.call_id = c.id AND turn->>0 = s.key
  ) AS words
FROM calls c LEFT JOIN speakers s ON s.call_id = c.id AND {BARE} = $1
WHERE s.call_id IS NOT NULL OR c.id = ANY($2::uuid[])
ORDER BY c.started_at, c.id
"""  # noqa: S608 - put together from constants

_CAME = """
SELECT id, 'record' AS kind, created_at AS at, data AS said FROM records WHERE id = ANY($1::uuid[])
UNION ALL
SELECT id, 'mail', created_at, jsonb_build_array(subject, body) FROM letters WHERE id = ANY($2::uuid[])
UNION ALL
SELECT id, name, received_at, jsonb_build_array(key, payload::text) FROM received WHERE id = ANY($3::uuid[])
UNION ALL
SELECT id, 'digest', created_at, jsonb_build_array(
  (SELECT jsonb_agg(jsonb_build_array(i.title, i.text, i.url)) FROM digest_items i WHERE i.digest_id = d.id),
  (SELECT jsonb_agg(l.text) FROM digest_lines l WHERE l.digest_id = d.id)
) FROM digests d WHERE id = ANY($4::uuid[])
UNION ALL
SELECT id, 'news', fetched_at, found FROM news WHERE id = ANY($5::uuid[])
UNION ALL
SELECT id, 'skill ' || skill, created_at, jsonb_build_array(
  message, inputs, client, (SELECT jsonb_agg(s.reply->'text' ORDER BY s.created_at) FROM skill_replies s WHERE s.skill_run_id = r.id),
  (SELECT jsonb_agg(f.issues) FROM feedback f WHERE f.skill_run_id = r.id)
) FROM skill_runs r WHERE id = ANY($6::uuid[])
UNION ALL
SELECT id, 'document', created_at, jsonb_build_array(name, text) FROM documents WHERE id = ANY($7::uuid[])
UNION ALL
SELECT id, 'document ' || work, created_at, jsonb_build_array(
  reason, summary, notes, letter,
  (SELECT jsonb_agg(jsonb_build_array(f.said, f.quote)) FROM document_findings f WHERE f.document_run_id = r.id),
  (SELECT jsonb_agg(jsonb_build_array(d.said, d.ours, d.theirs)) FROM document_differences d WHERE d.document_run_id = r.id),
  (SELECT jsonb_agg(jsonb_build_array(p.replacement, p.reason)) FROM document_proposals p WHERE p.document_run_id = r.id),
  (SELECT jsonb_agg(a.reply->'text') FROM document_replies a WHERE a.document_run_id = r.id)
) FROM document_runs r WHERE id = ANY($8::uuid[])
ORDER BY at, id
"""
