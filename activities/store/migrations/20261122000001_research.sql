-- migrate:up

-- Row security is forced, so that the owner too sees no tenant's row. A later migration that changes rows must say
-- `alter table t no force row level security` before and `... force row level security` after, in its transaction:
-- without it, it changes none and says nothing.

-- Two roles beside the owner, who runs migrations and nothing else. The application role owns no table and cannot
-- bypass row security; the crossing role sees ids of all tenants and nothing that a tenant typed or received.
-- They have no password until an operator gives them one.
do $$
begin
  if not exists (select from pg_roles where rolname = 'greenroom_app') then
    create role greenroom_app login nosuperuser nobypassrls nocreatedb nocreaterole;
  end if;
  if not exists (select from pg_roles where rolname = 'greenroom_crossing') then
    create role greenroom_crossing login nosuperuser nobypassrls nocreatedb nocreaterole;
  end if;
end $$;

-- The one place that says which tenant a transaction works for. Unset, and after a transaction that set it (which
-- leaves the empty string behind on its connection), it is null: no row at all.
create function current_tenant() returns uuid language sql stable
  return nullif(current_setting('app.tenant_id', true), '')::uuid;

create table tenants (
  id uuid primary key default gen_random_uuid(),
  slug text not null unique check (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  name text not null,
  premium boolean not null default false,
  -- Addresses at these domains are colleagues, never prospects.
  domains text[] not null default '{}',
  created_at timestamptz not null
);

create table users (
  tenant_id uuid not null references tenants on delete cascade,
  id uuid not null default gen_random_uuid(),
  email text not null,
  name text not null,
  time_zone text not null default 'UTC',
  created_at timestamptz not null,
  primary key (tenant_id, id),
  unique (tenant_id, email)
);

create table campaigns (
  tenant_id uuid not null references tenants on delete cascade,
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  name text not null,
  offering text not null,
  target_customer text not null,
  pain_points text not null,
  active boolean not null default true,
  created_at timestamptz not null,
  primary key (tenant_id, id),
  unique (tenant_id, name),
  foreign key (tenant_id, user_id) references users on delete cascade
);

create table meetings (
  tenant_id uuid not null references tenants on delete cascade,
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  campaign_id uuid not null,
  -- One instance of one calendar event: where it came from, and what that place calls it.
  source text not null,
  source_key text not null,
  title text not null,
  starts_at timestamptz not null,
  ends_at timestamptz,
  cancelled boolean not null default false,
  created_at timestamptz not null,
  primary key (tenant_id, id),
  unique (tenant_id, user_id, source, source_key),
  foreign key (tenant_id, user_id) references users on delete cascade,
  foreign key (tenant_id, campaign_id) references campaigns on delete cascade
);

create table attendees (
  tenant_id uuid not null,
  meeting_id uuid not null,
  email text not null,
  name text not null default '',
  -- Why somebody is or is not researched: only prospects are.
  standing text not null check (standing in ('prospect', 'colleague', 'room', 'group', 'declined', 'self')),
  primary key (tenant_id, meeting_id, email),
  foreign key (tenant_id, meeting_id) references meetings on delete cascade
);

-- A person or company that research is about, once for each tenant. Whatever is known of somebody hangs on this row,
-- and goes with it.
create table subjects (
  tenant_id uuid not null references tenants on delete cascade,
  id uuid not null default gen_random_uuid(),
  kind text not null check (kind in ('person', 'company')),
  email text,
  -- A keyed hash of the address: what stands for them in workflow ids.
  key text,
  name text not null default '',
  -- The company's domain. Null for a person with a free-mail address: no company to research.
  domain text,
  last_researched_at timestamptz,
  fresh_until timestamptz,
  -- What is fresh is pretended: it does not serve a real run.
  fresh_sandbox boolean not null default false,
  -- What the last look-up said, parsed.
  profile jsonb not null default '{}',
  primary key (tenant_id, id),
  unique (tenant_id, email),
  unique (tenant_id, key),
  check ((kind = 'person') = (email is not null)),
  check ((kind = 'person') = (key is not null)),
  check (kind = 'person' or domain is not null)
);
create unique index subjects_company on subjects (tenant_id, domain) where kind = 'company';

-- What is to be researched: a meeting (its id is the meeting's) or an ad hoc request.
create table research (
  tenant_id uuid not null references tenants on delete cascade,
  id uuid not null default gen_random_uuid(),
  kind text not null check (kind in ('calendar', 'adhoc')),
  user_id uuid not null,
  campaign_id uuid not null,
  meeting_id uuid check ((kind = 'calendar') = (meeting_id is not null) and (meeting_id is null or meeting_id = id)),
  -- Ad hoc only: the keyed hash of campaign and sorted addresses, so the same request is the same row.
  request_key text check ((kind = 'adhoc') = (request_key is not null)),
  status text not null default 'requested' check (status in ('requested', 'generating', 'ready', 'failed')),
  failed_step text,
  failure_reason text,
  -- The newest version begun; `brief_id` is the newest that is finished.
  version integer not null default 0,
  next_brief_id uuid,
  brief_id uuid,
  -- The workflow run that works on the newest version.
  run_id text,
  requested_at timestamptz not null,
  begun_at timestamptz,
  ended_at timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, request_key),
  foreign key (tenant_id, user_id) references users on delete cascade,
  foreign key (tenant_id, campaign_id) references campaigns on delete cascade,
  foreign key (tenant_id, meeting_id) references meetings on delete cascade
);
create index on research (tenant_id, requested_at desc);

-- Who is to be met, as the calendar or the request says it now.
create table research_prospects (
  tenant_id uuid not null,
  research_id uuid not null,
  subject_id uuid not null,
  position integer not null,
  primary key (tenant_id, research_id, subject_id),
  foreign key (tenant_id, research_id) references research on delete cascade,
  foreign key (tenant_id, subject_id) references subjects on delete cascade
);

-- Whom a version is about: as it stood when its run began, companies included. People first.
create table run_subjects (
  tenant_id uuid not null,
  research_id uuid not null,
  version integer not null,
  subject_id uuid not null,
  position integer not null,
  primary key (tenant_id, research_id, version, subject_id),
  foreign key (tenant_id, research_id) references research on delete cascade,
  foreign key (tenant_id, subject_id) references subjects on delete cascade
);

-- Since when a subject of a run is being tried, for the run's deadline: waiting is not counted.
create table tries (
  tenant_id uuid not null,
  research_id uuid not null,
  version integer not null,
  subject_id uuid not null,
  first_start timestamptz not null,
  waited_s double precision not null default 0,
  primary key (tenant_id, research_id, version, subject_id),
  foreign key (tenant_id, research_id) references research on delete cascade
);

-- Every paid answer, by the hash of what was asked: bought once, served until it is stale.
create table answers (
  tenant_id uuid not null references tenants on delete cascade,
  id uuid not null default gen_random_uuid(),
  -- The person or company it was asked about, or the brief it was asked for.
  subject_id uuid,
  brief_id uuid,
  -- The run that paid. It may be gone: the answer serves others.
  research_id uuid not null,
  version integer not null,
  asked text not null,
  provider text not null,
  model text not null,
  said jsonb not null,
  input_tokens integer not null,
  output_tokens integer not null,
  cost_micro_usd bigint not null,
  sandbox boolean not null,
  asked_at timestamptz not null,
  fresh_until timestamptz not null,
  primary key (tenant_id, id),
  unique (tenant_id, subject_id, asked, asked_at),
  check (num_nonnulls(subject_id, brief_id) = 1),
  foreign key (tenant_id, subject_id) references subjects on delete cascade
);
create index on answers (tenant_id, brief_id, asked_at);
create index on answers (tenant_id, research_id, version);
create index on answers (tenant_id, subject_id, asked_at desc);

create table evidence (
  tenant_id uuid not null,
  id uuid not null default gen_random_uuid(),
  answer_id uuid not null,
  subject_id uuid not null,
  position integer not null,
  url text not null,
  title text not null,
  text text not null,
  published date,
  fetched_at timestamptz not null,
  primary key (tenant_id, id),
  unique (tenant_id, answer_id, position),
  foreign key (tenant_id, answer_id) references answers on delete cascade,
  foreign key (tenant_id, subject_id) references subjects on delete cascade
);
create index on evidence (tenant_id, subject_id);

-- Who is asking about a subject just now; everybody else waits for the answer.
create table leases (
  tenant_id uuid not null references tenants on delete cascade,
  subject_id uuid not null,
  holder text not null,
  expires_at timestamptz not null,
  primary key (tenant_id, subject_id),
  foreign key (tenant_id, subject_id) references subjects on delete cascade
);

create table briefs (
  tenant_id uuid not null,
  id uuid not null,
  research_id uuid not null,
  version integer not null,
  confidence text not null check (confidence in ('HIGH', 'MEDIUM', 'LOW')),
  reasons text[] not null,
  what_changed text not null,
  -- What code refused, counted by reason.
  dropped jsonb not null,
  -- What was looked for and is not there.
  gaps jsonb not null,
  cost_micro_usd bigint not null,
  model text not null,
  sandbox boolean not null,
  written_at timestamptz not null,
  primary key (tenant_id, id),
  unique (tenant_id, research_id, version),
  foreign key (tenant_id, research_id) references research on delete cascade
);
create index on briefs (tenant_id, written_at desc);

-- Whom and what a brief is about, as it stood then.
create table brief_subjects (
  tenant_id uuid not null,
  brief_id uuid not null,
  subject_id uuid not null,
  position integer not null,
  kind text not null check (kind in ('person', 'company')),
  name text not null,
  detail text not null,
  identity text check (identity in ('confirmed', 'probable', 'ambiguous', 'not_found')),
  primary key (tenant_id, brief_id, subject_id),
  foreign key (tenant_id, brief_id) references briefs on delete cascade,
  foreign key (tenant_id, subject_id) references subjects on delete cascade
);

-- The sources a brief was written from, whether a claim rests on them or not.
create table brief_evidence (
  tenant_id uuid not null,
  brief_id uuid not null,
  evidence_id uuid not null,
  position integer not null,
  primary key (tenant_id, brief_id, evidence_id),
  foreign key (tenant_id, brief_id) references briefs on delete cascade,
  foreign key (tenant_id, evidence_id) references evidence on delete cascade
);

create table claims (
  tenant_id uuid not null,
  id uuid not null default gen_random_uuid(),
  brief_id uuid not null,
  position integer not null,
  section text not null,
  nature text not null check (nature in ('fact', 'assessment', 'recommendation')),
  subject_id uuid,
  text text not null,
  as_of date,
  -- A fact rests on a quote from its evidence, anything else on facts of this brief.
  evidence_id uuid,
  quote text,
  rests_on uuid[] not null default '{}',
  primary key (tenant_id, id),
  unique (tenant_id, brief_id, position),
  check ((nature = 'fact') = (evidence_id is not null and quote is not null)),
  foreign key (tenant_id, brief_id) references briefs on delete cascade,
  foreign key (tenant_id, subject_id) references subjects on delete cascade,
  foreign key (tenant_id, brief_id, evidence_id) references brief_evidence on delete cascade
);

-- What happened, told to the tenant: one terminal event for each run, written with the status it tells of.
create table events (
  tenant_id uuid not null references tenants on delete cascade,
  id uuid not null default gen_random_uuid(),
  sequence bigint generated always as identity,
  name text not null,
  -- What must happen once: the same key is the same event.
  key text not null,
  payload jsonb not null,
  created_at timestamptz not null,
  primary key (tenant_id, id),
  unique (tenant_id, key)
);
create index on events (tenant_id, sequence);

-- When each provider was called last, for all tenants together: the newest starts, oldest first.
create table paces (
  provider text primary key,
  starts timestamptz[] not null
);

-- The doorway, closed: nobody, the owner included, sees a tenant's row without naming the tenant.
alter table tenants enable row level security, force row level security;
create policy tenant on tenants using (id = current_tenant()) with check (id = current_tenant());
do $$
declare fenced text;
begin
  foreach fenced in array array['users', 'campaigns', 'meetings', 'attendees', 'subjects', 'research',
    'research_prospects', 'run_subjects', 'tries', 'answers', 'evidence', 'leases', 'briefs', 'brief_subjects', 'brief_evidence',
    'claims', 'events']
  loop
    execute format('alter table %I enable row level security, force row level security', fenced);
    execute format('create policy tenant on %I using (tenant_id = current_tenant())
                    with check (tenant_id = current_tenant())', fenced);
  end loop;
end $$;

grant select, insert, update, delete on users, campaigns, meetings, attendees, subjects, research,
  research_prospects, run_subjects, tries, answers, evidence, leases, briefs, brief_subjects, brief_evidence, claims, events, paces
  to greenroom_app;
grant select, insert, update on tenants to greenroom_app;

-- Across tenants: which tenants there are, and how their runs stand.
grant select (id, slug, premium) on tenants to greenroom_crossing;
create policy crossing on tenants for select to greenroom_crossing using (true);
grant select (tenant_id, id, kind, status, version, run_id, begun_at) on research to greenroom_crossing;
create policy crossing on research for select to greenroom_crossing using (true);

-- migrate:down

drop table paces, events, claims, brief_evidence, brief_subjects, briefs, leases, evidence, answers, tries,
  run_subjects, research_prospects, research, subjects, attendees, meetings, campaigns, users, tenants;
drop function current_tenant();
