-- migrate:up

-- What a user wants to hear in the morning; `digest_days` are bits, Monday the lowest.
alter table users
  add column digest_sales boolean not null default false,
  add column digest_days integer not null default 31 check (digest_days between 0 and 127),
  add column digest_quiet text not null default 'short' check (digest_quiet in ('short', 'none')),
  add column digest_audio boolean not null default true,
  add column digests_by_mail boolean not null default true,
  -- Which of their feed's addresses is the one that works.
  add column feed_version integer not null default 1;

-- Across tenants users are gone through by their ids.
create index users_id on users (id);

create table interests (
  tenant_id uuid not null,
  user_id uuid not null,
  -- The same for the same interest, however it is written.
  key text not null,
  topic text not null,
  position integer not null,
  primary key (tenant_id, user_id, key),
  foreign key (tenant_id, user_id) references users on delete cascade
);

-- Bills of a congress: they are public, and of no tenant.
create table bills (
  id text primary key,
  title text not null,
  chamber text not null,
  action text not null,
  acted_on date,
  updated_on date not null,
  url text not null,
  summary text not null default '',
  sandbox boolean not null,
  loaded_at timestamptz not null,
  search tsvector generated always as (to_tsvector('english', title || ' ' || action || ' ' || summary)) stored
);
create index on bills using gin (search);
create index on bills (updated_on);

-- What was found about an interest on a day, paid for once by a tenant.
create table news (
  tenant_id uuid not null references tenants on delete cascade,
  id uuid not null default gen_random_uuid(),
  key text not null,
  day date not null,
  -- Null while it is asked: for a digest, which has it to itself until then.
  found jsonb,
  asked_for uuid not null,
  asked_until timestamptz not null,
  provider text not null default '',
  cost_micro_usd bigint not null default 0,
  sandbox boolean not null,
  fetched_at timestamptz,
  primary key (tenant_id, key, day, sandbox)
);
create index on news (tenant_id, asked_for) where found is null;

create table digests (
  tenant_id uuid not null,
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  day date not null,
  status text not null default 'requested' check (status in ('requested', 'generating', 'ready', 'skipped', 'failed')),
  -- Asked for with these instead of the user's own interests.
  topics text[],
  quiet boolean not null default false,
  failed_step text,
  failure_reason text,
  -- The newest run: which workflow works on it, and since when.
  version integer not null default 0,
  run_id text,
  begun_at timestamptz,
  ended_at timestamptz,
  audio text not null default 'none' check (audio in ('none', 'pending', 'ready', 'refused')),
  audio_reason text not null default '',
  audio_key text,
  duration_ms integer,
  size bigint,
  chapters jsonb not null default '[]',
  dropped integer not null default 0,
  cost_micro_usd bigint not null default 0,
  sandbox boolean not null default false,
  created_at timestamptz not null,
  primary key (tenant_id, id),
  unique (tenant_id, user_id, day),
  foreign key (tenant_id, user_id) references users on delete cascade
);
create index on digests (tenant_id, status) where status in ('requested', 'generating');

-- What a digest tells of, in its sources' words.
create table digest_items (
  tenant_id uuid not null,
  digest_id uuid not null,
  position integer not null,
  kind text not null check (kind in ('bill', 'news', 'meeting', 'change')),
  key text not null,
  topic text not null,
  title text not null,
  text text not null,
  url text not null,
  source text not null,
  published date,
  starts_at timestamptz,
  meeting_id uuid,
  brief_id uuid,
  primary key (tenant_id, digest_id, position),
  foreign key (tenant_id, digest_id) references digests on delete cascade,
  foreign key (tenant_id, meeting_id) references meetings on delete set null (meeting_id)
);
create index on digest_items (tenant_id, key);
create index on digest_items (tenant_id, meeting_id);

-- Its script: sentences, each with what it rests on.
create table digest_lines (
  tenant_id uuid not null,
  digest_id uuid not null,
  position integer not null,
  turn integer not null,
  voice integer not null,
  text text not null,
  item integer,
  quote text not null,
  start_ms integer,
  end_ms integer,
  primary key (tenant_id, digest_id, position),
  foreign key (tenant_id, digest_id) references digests on delete cascade
);

-- What a model wrote, by the hash of what was asked: paid for once.
create table digest_answers (
  tenant_id uuid not null,
  digest_id uuid not null,
  asked text not null,
  version integer not null,
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
  primary key (tenant_id, digest_id, asked),
  foreign key (tenant_id, digest_id) references digests on delete cascade
);

-- What has been spoken, by the hash of what was said, by whom and how.
create table digest_pieces (
  tenant_id uuid not null,
  digest_id uuid not null,
  hash text not null,
  object_key text not null,
  duration_ms integer not null,
  provider text not null,
  model text not null,
  characters integer not null,
  cost_micro_usd bigint not null,
  workflow_id text not null,
  run_id text not null,
  sandbox boolean not null,
  created_at timestamptz not null,
  primary key (tenant_id, digest_id, hash),
  foreign key (tenant_id, digest_id) references digests on delete cascade
);

-- Objects that nothing needs any more, until they are deleted from their store.
create table unneeded_objects (
  tenant_id uuid not null references tenants on delete cascade,
  key text not null,
  since timestamptz not null,
  primary key (tenant_id, key)
);

-- Who has one of a provider's few seats just now, over all workers; one that is not kept is free.
create table seats (
  provider text not null,
  holder uuid not null,
  until timestamptz not null,
  primary key (provider, holder)
);

alter table notices
  add column digest_id uuid,
  add foreign key (tenant_id, digest_id) references digests on delete cascade;
create index notices_digest on notices (tenant_id, digest_id);

do $$
declare fenced text;
begin
  foreach fenced in array array['interests', 'news', 'digests', 'digest_items', 'digest_lines', 'digest_answers',
    'digest_pieces', 'unneeded_objects']
  loop
    execute format('alter table %I enable row level security, force row level security', fenced);
    execute format('create policy tenant on %I using (tenant_id = current_tenant())
                    with check (tenant_id = current_tenant())', fenced);
  end loop;
  foreach fenced in array array['interests', 'digests', 'unneeded_objects']
  loop
    execute format('create policy crossing on %I for select to greenroom_crossing using (true)', fenced);
  end loop;
end $$;

grant select, insert, update, delete on interests, news, digests, digest_items, digest_lines, digest_answers, digest_pieces,
  unneeded_objects, bills, seats to greenroom_app;

-- Across tenants: who is to have a digest, and what is to be repaired or deleted.
grant select (tenant_id, id, time_zone, digest_sales, digest_days) on users to greenroom_crossing;
grant select (tenant_id, user_id) on interests to greenroom_crossing;
grant select (tenant_id, id, user_id, day, status, version, run_id, begun_at, created_at) on digests to greenroom_crossing;
grant select (tenant_id) on unneeded_objects to greenroom_crossing;

-- migrate:down

revoke select (time_zone) on users from greenroom_crossing;
alter table notices drop column digest_id;
drop table seats, unneeded_objects, digest_pieces, digest_answers, digest_lines, digest_items, digests, news, bills, interests;
drop index users_id;
alter table users drop column feed_version, drop column digests_by_mail, drop column digest_audio, drop column digest_quiet,
  drop column digest_days, drop column digest_sales;
