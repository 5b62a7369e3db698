-- migrate:up

-- What is paid for is a version of some work: of a research, or of a call's reading.
alter table spending rename column research_id to work_id;

-- Keys with which other applications send us events. The key itself is known to them alone: we know its hash, and the
-- secret that signs, encrypted.
create table event_keys (
  tenant_id uuid not null references tenants on delete cascade,
  id uuid not null default gen_random_uuid(),
  name text not null,
  key_hash bytea not null,
  key_id text not null,
  sealed bytea not null,
  created_at timestamptz not null,
  revoked_at timestamptz,
  primary key (tenant_id, id)
);
create unique index on event_keys (key_hash);
create unique index on event_keys (id);

-- Events that came in, each once for good. What they say is kept only while it waits: for a batch, or for a person who
-- looks why it was parked. json, not jsonb: what Postgres cannot keep is to be found out by whoever uses it.
create table received (
  tenant_id uuid not null references tenants on delete cascade,
  id uuid not null default gen_random_uuid(),
  -- What its sender calls it.
  key text not null,
  name text not null,
  event_key_id uuid,
  state text not null check (state in ('taken', 'collected', 'done', 'parked')),
  payload json,
  -- The workflow that it began or woke.
  workflow_id text,
  reason text,
  received_at timestamptz not null,
  ended_at timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, key),
  foreign key (tenant_id, event_key_id) references event_keys on delete set null (event_key_id)
);
create index on received (tenant_id, name, received_at) where state = 'collected';
create index on received (tenant_id, state, received_at);

-- What other applications want kept, inserted in bulk.
create table records (
  tenant_id uuid not null references tenants on delete cascade,
  id uuid not null default gen_random_uuid(),
  collection text not null,
  key text not null,
  data jsonb not null,
  created_at timestamptz not null,
  primary key (tenant_id, id),
  unique (tenant_id, collection, key)
);

-- Where a tenant hears of what happened.
create table endpoints (
  tenant_id uuid primary key references tenants on delete cascade,
  url text not null,
  key_id text not null,
  sealed bytea not null,
  status text not null default 'active' check (status in ('active', 'refused')),
  failing_since timestamptz,
  reason text,
  created_at timestamptz not null
);

-- Null: nobody was to hear of it.
alter table events
  add column delivery text check (delivery in ('pending', 'delivered', 'parked')),
  add column attempts integer not null default 0,
  add column delivered_at timestamptz,
  add column refusal text;
create index events_pending on events (tenant_id, sequence) where delivery = 'pending';

-- Mails that other applications ask for. Who they go to is a user of the tenant, and nobody else.
create table letters (
  tenant_id uuid not null references tenants on delete cascade,
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  subject text not null,
  body text not null,
  created_at timestamptz not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, user_id) references users on delete cascade
);

-- What records a tenant's calls, and lets us read them.
create table recorders (
  tenant_id uuid not null references tenants on delete cascade,
  id uuid not null default gen_random_uuid(),
  provider text not null check (provider in ('gong')),
  base_url text not null,
  -- "key:secret", encrypted.
  key_id text not null,
  sealed bytea not null,
  -- What its notifications are signed with, as PEM; null when they are not listened to.
  public_key text,
  status text not null default 'active' check (status in ('active', 'refused', 'disconnected')),
  reason text,
  -- Up to when calls have been looked for.
  swept_until timestamptz,
  sandbox boolean not null,
  created_at timestamptz not null,
  primary key (tenant_id, id),
  unique (tenant_id, provider)
);
create unique index on recorders (id);

-- What a tenant tries to sell to one company: by its domain, or by what its own system calls it.
create table opportunities (
  tenant_id uuid not null references tenants on delete cascade,
  id uuid not null default gen_random_uuid(),
  key text not null,
  name text not null,
  created_at timestamptz not null,
  primary key (tenant_id, id),
  unique (tenant_id, key)
);

create table calls (
  tenant_id uuid not null references tenants on delete cascade,
  id uuid not null default gen_random_uuid(),
  source text not null check (source in ('recorder', 'upload', 'event')),
  -- What its source calls it; of a file, the hash of its text.
  source_key text not null,
  recorder_id uuid,
  title text not null default '',
  url text not null default '',
  started_at timestamptz,
  duration_s integer check (duration_s >= 0),
  -- Whose call it is: they are told when it cannot be read, if they want to be.
  user_id uuid,
  meeting_id uuid,
  opportunity_id uuid,
  status text not null default 'waiting' check (status in ('waiting', 'parsing', 'parsed', 'failed')),
  history_status text not null default 'none' check (history_status in ('none', 'updated')),
  failed_step text,
  failure_reason text,
  -- The newest run: which workflow works on it, and since when.
  version integer not null default 0,
  run_id text,
  begun_at timestamptz,
  ended_at timestamptz,
  -- How many transcripts' items were left out since their quote was not found, and how many stayed.
  claimed integer not null default 0,
  kept integer not null default 0,
  model text not null default '',
  cost_micro_usd bigint not null default 0,
  sandbox boolean not null default false,
  created_at timestamptz not null,
  primary key (tenant_id, id),
  unique (tenant_id, source, source_key),
  foreign key (tenant_id, recorder_id) references recorders on delete set null (recorder_id),
  foreign key (tenant_id, user_id) references users on delete set null (user_id),
  foreign key (tenant_id, meeting_id) references meetings on delete set null (meeting_id),
  foreign key (tenant_id, opportunity_id) references opportunities on delete set null (opportunity_id)
);
create index on calls (tenant_id, started_at);
create index on calls (tenant_id, meeting_id);
create index on calls (tenant_id, opportunity_id);
create index on calls (tenant_id, status) where status in ('waiting', 'parsing');

-- Who spoke, or was there.
create table speakers (
  tenant_id uuid not null,
  call_id uuid not null,
  -- What the transcript calls them.
  key text not null,
  name text not null default '',
  email text,
  role text not null default '',
  ours boolean,
  position integer not null,
  primary key (tenant_id, call_id, key),
  foreign key (tenant_id, call_id) references calls on delete cascade
);
create index on speakers (tenant_id, email);

-- What was said: a list of [speaker's key, start in ms, end in ms, text], in the order of the call.
create table transcripts (
  tenant_id uuid not null,
  call_id uuid not null,
  hash text not null,
  format text not null,
  -- Whether its times are told by the source; else they are only an order.
  timed boolean not null,
  turns jsonb not null,
  characters integer not null,
  created_at timestamptz not null,
  primary key (tenant_id, call_id),
  foreign key (tenant_id, call_id) references calls on delete cascade
);

-- What a model made of a part of a transcript, by the hash of what was asked: paid for once.
create table readings (
  tenant_id uuid not null,
  call_id uuid not null,
  asked text not null,
  answer text not null,
  stopped text not null,
  provider text not null,
  model text not null,
  prompt text not null,
  input_tokens integer not null,
  output_tokens integer not null,
  cost_micro_usd bigint not null,
  workflow_id text not null,
  run_id text not null,
  sandbox boolean not null,
  created_at timestamptz not null,
  primary key (tenant_id, call_id, asked),
  foreign key (tenant_id, call_id) references calls on delete cascade
);

-- What came of a call: each rests on a sentence of it, and says when that was said.
create table findings (
  tenant_id uuid not null,
  id uuid not null default gen_random_uuid(),
  call_id uuid not null,
  position integer not null,
  kind text not null check (kind in ('summary', 'pain', 'objection', 'competitor', 'budget', 'decision', 'next_step',
    'quote', 'risk', 'stage')),
  text text not null,
  -- Of a next step: who is to do it, and until when.
  owner text not null default '',
  due date,
  speaker text not null,
  quote text not null,
  at_ms integer not null,
  primary key (tenant_id, id),
  unique (tenant_id, call_id, position),
  foreign key (tenant_id, call_id, speaker) references speakers on delete cascade
);

-- What is known of an opportunity, one entry a transcript.
create table opportunity_history (
  tenant_id uuid not null,
  id uuid not null default gen_random_uuid(),
  opportunity_id uuid not null,
  call_id uuid not null,
  transcript_hash text not null,
  happened_at timestamptz not null,
  created_at timestamptz not null,
  primary key (tenant_id, id),
  unique (tenant_id, call_id, transcript_hash),
  foreign key (tenant_id, opportunity_id) references opportunities on delete cascade,
  foreign key (tenant_id, call_id) references calls on delete cascade
);

-- Findings of the last call with the same people, with which a brief opens. Their words go with the call.
alter table briefs add column promises jsonb not null default '[]';

alter table notices
  add column call_id uuid,
  add column letter_id uuid,
  add foreign key (tenant_id, call_id) references calls on delete cascade,
  add foreign key (tenant_id, letter_id) references letters on delete cascade;
create index notices_call on notices (tenant_id, call_id);

-- Whether somebody wants to hear that their call could not be read.
alter table users add column calls_by_mail boolean not null default true;

do $$
declare fenced text;
begin
  foreach fenced in array array['event_keys', 'received', 'records', 'endpoints', 'letters', 'recorders', 'opportunities',
    'calls', 'speakers', 'transcripts', 'readings', 'findings', 'opportunity_history']
  loop
    execute format('alter table %I enable row level security, force row level security', fenced);
    execute format('create policy tenant on %I using (tenant_id = current_tenant())
                    with check (tenant_id = current_tenant())', fenced);
  end loop;
  foreach fenced in array array['event_keys', 'received', 'endpoints', 'recorders', 'calls', 'events', 'erasures', 'meetings']
  loop
    execute format('create policy crossing on %I for select to greenroom_crossing using (true)', fenced);
  end loop;
end $$;

grant select, insert, update, delete on event_keys, received, records, endpoints, letters, recorders, opportunities, calls,
  speakers, transcripts, readings, findings, opportunity_history to greenroom_app;

-- Across tenants: whose key an event came with, what is to be swept, delivered or repaired.
grant select (tenant_id, id, key_hash, key_id, revoked_at) on event_keys to greenroom_crossing;
grant select (tenant_id, id, name, state, received_at) on received to greenroom_crossing;
grant select (tenant_id, status, key_id) on endpoints to greenroom_crossing;
grant select (tenant_id, id, provider, status, key_id) on recorders to greenroom_crossing;
grant select (tenant_id, id, status, version, run_id, begun_at, created_at) on calls to greenroom_crossing;
grant select (tenant_id, id, sequence, delivery, created_at) on events to greenroom_crossing;
grant select (tenant_id, id, requested_at, finished_at) on erasures to greenroom_crossing;
grant select (tenant_id, id, calendar_id, starts_at, cancelled, withdrawn, created_at) on meetings to greenroom_crossing;
grant select (tenant_id, id, key, status, created_at) on notices to greenroom_crossing;
grant select (requested_at) on research to greenroom_crossing;

-- migrate:down

revoke select (requested_at) on research from greenroom_crossing;
revoke select (tenant_id, id, key, status, created_at) on notices from greenroom_crossing;
revoke select (tenant_id, id, calendar_id, starts_at, cancelled, withdrawn, created_at) on meetings from greenroom_crossing;
revoke select (tenant_id, id, requested_at, finished_at) on erasures from greenroom_crossing;
revoke select (tenant_id, id, sequence, delivery, created_at) on events from greenroom_crossing;
drop policy crossing on meetings;
drop policy crossing on erasures;
drop policy crossing on events;
alter table users drop column calls_by_mail;
alter table briefs drop column promises;
alter table notices drop column letter_id, drop column call_id;
drop table opportunity_history, findings, readings, transcripts, speakers, calls, opportunities, recorders, letters;
alter table events drop column refusal, drop column delivered_at, drop column attempts, drop column delivery;
drop table endpoints, records, received, event_keys;
alter table spending rename column work_id to research_id;
