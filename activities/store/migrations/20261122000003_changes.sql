-- migrate:up

alter table briefs
  -- When the last meeting with some of the same people began; null for first contact.
  add column last_met_at timestamptz,
  -- That meeting's brief, if it had one: what is new was not known there. No reference: it may be gone by now.
  add column compared_with uuid,
  -- Facts of this brief that are new since then, the most recent first, and people who were not to be there.
  add column new_claims uuid[] not null default '{}',
  add column new_people uuid[] not null default '{}',
  -- A hash of what is material: versions with the same one say the same. Empty for briefs that are older than this.
  add column facts_digest text not null default '';

-- Who has been met before is asked by subject.
create index research_prospects_subject on research_prospects (tenant_id, subject_id);

-- migrate:down

drop index research_prospects_subject;
alter table briefs
  drop column facts_digest, drop column new_people, drop column new_claims, drop column compared_with,
  drop column last_met_at;
