-- migrate:up

alter table users add column skills_by_mail boolean not null default true;

-- Ways to tell a user something, beside their mail. The address of a webhook is a secret, and so is a chat's id.
create table user_channels (
  tenant_id uuid not null,
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  kind text not null check (kind in ('telegram', 'slack')),
  -- What its user calls it.
  label text not null,
  -- The address, encrypted.
  key_id text not null,
  sealed bytea not null,
  -- The same for the same address: a hash with the key that hashes addresses.
  address_hash text not null,
  status text not null default 'on' check (status in ('on', 'off')),
  reason text not null default '',
  -- Since when it is off.
  off_at timestamptz,
  created_at timestamptz not null,
  primary key (tenant_id, id),
  unique (tenant_id, user_id, kind, address_hash),
  foreign key (tenant_id, user_id) references users on delete cascade
);
create unique index on user_channels (id);

create table skill_runs (
  tenant_id uuid not null,
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  skill text not null,
  -- The hash of what was run; empty until it is.
  skill_version text not null default '',
  message text not null,
  inputs jsonb not null default '{}',
  -- A company that we know, and what it was called then; and a meeting.
  client_id uuid,
  client text not null default '',
  meeting_id uuid,
  status text not null default 'queued' check (status in ('queued', 'running', 'completed', 'failed')),
  -- When its turn comes: no more than so many of a user's begin in any minute.
  turn_at timestamptz not null,
  created_at timestamptz not null,
  started_at timestamptz,
  ended_at timestamptz,
  version integer not null default 1,
  run_id text,
  -- What has been written so far; and what is written and not put away yet.
  draft text not null default '',
  written jsonb,
  tokens_in integer not null default 0,
  tokens_out integer not null default 0,
  cost_micro_usd bigint not null default 0,
  failed_step text,
  failure_reason text,
  retryable boolean not null default false,
  -- Its user was told that it is slow.
  slow_at timestamptz,
  sandbox boolean not null default false,
  primary key (tenant_id, id),
  foreign key (tenant_id, user_id) references users on delete cascade,
  foreign key (tenant_id, client_id) references subjects on delete set null (client_id),
  foreign key (tenant_id, meeting_id) references meetings on delete set null (meeting_id)
);
create index on skill_runs (tenant_id, user_id, turn_at);
create index on skill_runs (tenant_id, user_id, created_at);
create index on skill_runs (tenant_id, skill, created_at);
create index on skill_runs (tenant_id, status) where status in ('queued', 'running');

-- What a model answered, by the hash of all that was said before: paid for once.
create table skill_replies (
  tenant_id uuid not null,
  skill_run_id uuid not null,
  asked text not null,
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
  primary key (tenant_id, skill_run_id, asked),
  foreign key (tenant_id, skill_run_id) references skill_runs on delete cascade
);

create table outputs (
  tenant_id uuid not null,
  id uuid not null default gen_random_uuid(),
  skill_run_id uuid not null,
  title text not null,
  format text not null,
  preview text not null,
  size_bytes bigint not null,
  object_key text not null,
  created_at timestamptz not null,
  primary key (tenant_id, id),
  unique (tenant_id, skill_run_id),
  foreign key (tenant_id, skill_run_id) references skill_runs on delete cascade
);

-- What users say of outputs; each has one opinion of each.
create table feedback (
  tenant_id uuid not null,
  id uuid not null default gen_random_uuid(),
  skill_run_id uuid not null,
  user_id uuid not null,
  overall integer not null check (overall between 1 and 5),
  accuracy integer check (accuracy between 1 and 5),
  quality integer check (quality between 1 and 5),
  issues text not null default '',
  created_at timestamptz not null,
  primary key (tenant_id, id),
  unique (tenant_id, skill_run_id, user_id),
  foreign key (tenant_id, skill_run_id) references skill_runs on delete cascade,
  foreign key (tenant_id, user_id) references users on delete cascade
);
create index on feedback (tenant_id, created_at);

alter table notices
  add column skill_run_id uuid,
  add column channel_id uuid,
  add column by_channel_id uuid,
  add foreign key (tenant_id, skill_run_id) references skill_runs on delete cascade,
  add foreign key (tenant_id, channel_id) references user_channels on delete cascade,
  add foreign key (tenant_id, by_channel_id) references user_channels on delete cascade;
create index notices_skill_run on notices (tenant_id, skill_run_id);

do $$
declare fenced text;
begin
  foreach fenced in array array['user_channels', 'skill_runs', 'skill_replies', 'outputs', 'feedback']
  loop
    execute format('alter table %I enable row level security, force row level security', fenced);
    execute format('create policy tenant on %I using (tenant_id = current_tenant())
                    with check (tenant_id = current_tenant())', fenced);
  end loop;
  foreach fenced in array array['user_channels', 'skill_runs']
  loop
    execute format('create policy crossing on %I for select to greenroom_crossing using (true)', fenced);
  end loop;
end $$;

grant select, insert, update, delete on user_channels, skill_runs, skill_replies, outputs, feedback to greenroom_app;

-- Across tenants: which runs are to be repaired, and what is sealed with which key.
grant select (tenant_id, id, key_id) on user_channels to greenroom_crossing;
grant select (tenant_id, id, status, version, run_id, turn_at, started_at, created_at) on skill_runs to greenroom_crossing;

-- migrate:down

alter table notices drop column by_channel_id, drop column channel_id, drop column skill_run_id;
drop table feedback, outputs, skill_replies, skill_runs, user_channels;
alter table users drop column skills_by_mail;
