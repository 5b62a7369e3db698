-- migrate:up

-- Vectors: whoever may not create extensions has it created beforehand.
create extension if not exists vector;

-- Files under review, a tenant's own rules, and what it compares with. Without a user it is the tenant's.
create table documents (
  tenant_id uuid not null,
  id uuid not null default gen_random_uuid(),
  user_id uuid,
  role text not null check (role in ('review', 'playbook', 'reference')),
  name text not null,
  kind text not null check (kind in ('pdf', 'docx', 'text')),
  size_bytes bigint not null,
  -- The hash of its bytes: the same file is the same document.
  sha256 text not null,
  object_key text not null,
  -- What a reference is called in the library.
  source text,
  -- Its text, once it is read; offsets of clauses and quotes count its characters.
  text text,
  pages integer,
  tracked boolean not null default false,
  -- What its vectors were made by; a reference is searched in once all of its bootstrap are there.
  embedded_by text not null default '',
  searchable boolean not null default false,
  sandbox boolean not null default false,
  created_at timestamptz not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, user_id) references users on delete cascade
);
create unique index on documents (tenant_id, user_id, role, sha256) nulls not distinct where role <> 'reference';
-- One that is taken in anew stands beside the one before it until then.
create unique index on documents (tenant_id, source) where searchable;
create index on documents (tenant_id, user_id, created_at);

create table clauses (
  tenant_id uuid not null,
  document_id uuid not null,
  ordinal integer not null,
  start_at integer not null,
  end_at integer not null,
  number text not null default '',
  heading text not null default '',
  embedding vector(1024),
  -- It can be found by what it is near to: the index holds these alone.
  indexed boolean not null default false,
  primary key (tenant_id, document_id, ordinal),
  check (start_at < end_at),
  foreign key (tenant_id, document_id) references documents on delete cascade
);
-- Beside its row, not behind a pointer: a vector is read three times as fast, and the planner knows what it costs.
alter table clauses alter column embedding set storage plain;
create index clauses_nearest on clauses using hnsw (embedding vector_cosine_ops) where indexed;

-- What is worked on documents: an analysis, a comparison, a redline. The same is one row, however often it is asked for.
create table document_runs (
  tenant_id uuid not null,
  id uuid not null default gen_random_uuid(),
  document_id uuid not null,
  work text not null check (work in ('analysis', 'comparison', 'redline')),
  against text check (against in ('playbook', 'document', 'nearest')),
  other_id uuid,
  urgent boolean not null default false,
  -- Why it was asked for again.
  reason text not null default '',
  status text not null default 'queued' check (status in ('queued', 'running', 'completed', 'failed', 'cancelled')),
  step text not null default '',
  percent integer not null default 0,
  message text not null default '',
  version integer not null default 0,
  run_id text,
  risk text check (risk in ('none', 'low', 'medium', 'high')),
  summary jsonb not null default '[]',
  notes jsonb not null default '[]',
  -- Claims of the model that were left out, by part.
  dropped jsonb not null default '{}',
  -- For a comparison: which clauses answer which, the same for all of its parts.
  pairs jsonb,
  -- What a redline made: its file, and words for the other side.
  object_key text,
  letter text not null default '',
  cost_micro_usd bigint not null default 0,
  failed_step text not null default '',
  failure_reason text not null default '',
  retryable boolean not null default false,
  sandbox boolean not null default false,
  created_at timestamptz not null,
  asked_at timestamptz not null,
  started_at timestamptz,
  ended_at timestamptz,
  primary key (tenant_id, id),
  unique nulls not distinct (tenant_id, document_id, work, against, other_id),
  foreign key (tenant_id, document_id) references documents on delete cascade,
  foreign key (tenant_id, other_id) references documents on delete cascade
);
create index on document_runs (tenant_id, status) where status in ('queued', 'running');

create table document_findings (
  tenant_id uuid not null,
  id uuid not null default gen_random_uuid(),
  document_run_id uuid not null,
  -- The part of the document that it came of, and its place there.
  part integer not null,
  position integer not null,
  topic text not null,
  rule text not null default '',
  risk text not null check (risk in ('none', 'low', 'medium', 'high')),
  said text not null,
  clause integer,
  start_at integer,
  end_at integer,
  quote text,
  primary key (tenant_id, id),
  unique (tenant_id, document_run_id, part, position),
  foreign key (tenant_id, document_run_id) references document_runs on delete cascade
);

create table document_differences (
  tenant_id uuid not null,
  id uuid not null default gen_random_uuid(),
  document_run_id uuid not null,
  part integer not null,
  position integer not null,
  topic text not null,
  change text not null check (change in ('same', 'changed', 'added', 'missing')),
  matters text not null check (matters in ('none', 'low', 'medium', 'high')),
  said text not null,
  -- Where it stands on either side, as passages.
  ours jsonb,
  theirs jsonb,
  -- A reference may be taken in anew meanwhile: what it said stands here still.
  theirs_document_id uuid,
  primary key (tenant_id, id),
  unique (tenant_id, document_run_id, part, position),
  foreign key (tenant_id, document_run_id) references document_runs on delete cascade,
  foreign key (tenant_id, theirs_document_id) references documents on delete set null (theirs_document_id)
);

create table document_proposals (
  tenant_id uuid not null,
  id uuid not null default gen_random_uuid(),
  document_run_id uuid not null,
  part integer not null,
  position integer not null,
  passage jsonb not null,
  replacement text not null,
  reason text not null,
  finding_id uuid,
  primary key (tenant_id, id),
  unique (tenant_id, document_run_id, part, position),
  foreign key (tenant_id, document_run_id) references document_runs on delete cascade
);

-- What a model answered, by the hash of what it was asked: paid for once.
create table document_replies (
  tenant_id uuid not null,
  document_run_id uuid not null,
  asked text not null,
  version integer not null,
  part integer not null,
  reply jsonb not null,
  provider text not null,
  model text not null,
  input_tokens integer not null,
  output_tokens integer not null,
  cost_micro_usd bigint not null,
  workflow_id text not null,
  run_id text not null,
  sandbox boolean not null,
  created_at timestamptz not null,
  primary key (tenant_id, document_run_id, asked),
  foreign key (tenant_id, document_run_id) references document_runs on delete cascade
);

-- References are taken in, many at a time; one at a time of all tenants is under way.
create table bootstraps (
  tenant_id uuid not null,
  id uuid not null default gen_random_uuid(),
  force boolean not null default false,
  -- What was named; empty is all that the library holds when its turn comes.
  named jsonb not null default '[]',
  status text not null default 'queued' check (status in ('queued', 'running', 'completed', 'failed', 'cancelled')),
  version integer not null default 0,
  run_id text,
  -- Its sources are written down.
  listed boolean not null default false,
  indexed_at timestamptz,
  failure_reason text not null default '',
  sandbox boolean not null default false,
  created_at timestamptz not null,
  started_at timestamptz,
  ended_at timestamptz,
  primary key (tenant_id, id)
);
create index on bootstraps (created_at) where status in ('queued', 'running');

create table bootstrap_sources (
  tenant_id uuid not null,
  id uuid not null default gen_random_uuid(),
  bootstrap_id uuid not null,
  source text not null,
  status text not null default 'queued' check (status in ('queued', 'running', 'completed', 'unchanged', 'failed')),
  document_id uuid,
  failure_reason text not null default '',
  ended_at timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, bootstrap_id, source),
  foreign key (tenant_id, bootstrap_id) references bootstraps on delete cascade,
  foreign key (tenant_id, document_id) references documents on delete set null (document_id)
);
create index on bootstrap_sources (tenant_id, bootstrap_id, status);

do $$
declare fenced text;
begin
  foreach fenced in array array['documents', 'clauses', 'document_runs', 'document_findings', 'document_differences',
    'document_proposals', 'document_replies', 'bootstraps', 'bootstrap_sources']
  loop
    execute format('alter table %I enable row level security, force row level security', fenced);
    execute format('create policy tenant on %I using (tenant_id = current_tenant())
                    with check (tenant_id = current_tenant())', fenced);
  end loop;
  foreach fenced in array array['document_runs', 'bootstraps']
  loop
    execute format('create policy crossing on %I for select to greenroom_crossing using (true)', fenced);
  end loop;
end $$;

grant select, insert, update, delete on documents, clauses, document_runs, document_findings, document_differences,
  document_proposals, document_replies, bootstraps, bootstrap_sources to greenroom_app;

-- Across tenants: which runs are to be repaired, and whose turn it is.
grant select (tenant_id, id, document_id, work, status, version, run_id, created_at, asked_at, started_at)
  on document_runs to greenroom_crossing;
grant select (tenant_id, id, status, version, run_id, created_at, started_at) on bootstraps to greenroom_crossing;

-- migrate:down

drop table bootstrap_sources, bootstraps, document_replies, document_proposals, document_differences, document_findings,
  document_runs, clauses, documents;
