-- migrate:up

-- An address as whoever crosses tenants may look for it: who signs in is known by their address before their tenant is.
create function address_key(address text) returns text language sql immutable strict parallel safe
  return encode(sha256(convert_to(lower(address), 'UTF8')), 'hex');

alter table users
  -- How long before a meeting its brief is mailed.
  add column deliver_before_min integer not null default 60 check (deliver_before_min between 0 and 10080),
  -- Whether briefs are mailed at all; what needs doing (a failed brief, a lost connection) always is.
  add column briefs_by_mail boolean not null default true,
  add column email_key text generated always as (address_key(email)) stored,
  -- Sessions that began before this are over.
  add column signed_out_at timestamptz;
create index on users (email_key);

-- An account at a calendar provider that a user let us read.
create table connections (
  tenant_id uuid not null references tenants on delete cascade,
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  provider text not null check (provider in ('google')),
  account text not null,
  status text not null default 'active' check (status in ('active', 'reauth_required', 'disconnected')),
  scopes text[] not null,
  -- Both tokens, encrypted; `key_id` names the key, `version` grows with every grant and refresh.
  key_id text not null,
  sealed bytea not null,
  version integer not null default 1,
  expires_at timestamptz not null,
  -- Who is refreshing just now, until when at most: everybody else waits for the new token.
  refreshing_until timestamptz,
  sandbox boolean not null,
  connected_at timestamptz not null,
  primary key (tenant_id, id),
  unique (tenant_id, user_id, provider, account),
  foreign key (tenant_id, user_id) references users on delete cascade
);

create table calendars (
  tenant_id uuid not null references tenants on delete cascade,
  id uuid not null default gen_random_uuid(),
  connection_id uuid not null,
  user_id uuid not null,
  -- For which campaign its meetings are researched; null for the user's oldest active one.
  campaign_id uuid,
  -- What the provider calls it.
  provider_key text not null,
  watched boolean not null default true,
  -- How far we have read: `page_token` while a reading is under way, `sync_token` after it. A full reading has a number
  -- of its own; what it does not see is gone.
  sync_token text,
  page_token text,
  reading integer not null default 0,
  full_reading boolean not null default true,
  -- From when a full reading takes events, the same for all its pages.
  reading_since timestamptz,
  read_at timestamptz,
  fully_read_at timestamptz,
  -- The newest notification that made us read.
  pushed_at timestamptz,
  failing_since timestamptz,
  failure text,
  primary key (tenant_id, id),
  unique (tenant_id, connection_id, provider_key),
  foreign key (tenant_id, connection_id) references connections on delete cascade,
  foreign key (tenant_id, user_id) references users on delete cascade,
  foreign key (tenant_id, campaign_id) references campaigns on delete set null (campaign_id)
);

-- A push channel: its id is the one that the provider sends back with each notification.
create table subscriptions (
  tenant_id uuid not null,
  id uuid not null,
  calendar_id uuid not null,
  status text not null check (status in ('creating', 'active', 'replaced', 'stopped', 'expired')),
  -- The token is sent with each notification; only its hash is kept.
  token_hash bytea not null,
  resource_id text,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  confirmed_at timestamptz,
  -- Late notifications of a channel that was replaced still count until then.
  accepted_until timestamptz,
  renewal_failures integer not null default 0,
  primary key (tenant_id, id),
  foreign key (tenant_id, calendar_id) references calendars on delete cascade
);
create unique index on subscriptions (id);
create unique index on subscriptions (tenant_id, calendar_id) where status = 'active';

alter table meetings
  -- The meetings of a calendar go with it. Those from elsewhere have none.
  add column calendar_id uuid,
  -- Why it is no meeting any more (cancelled, declined, nobody from outside ...); null while it is one. `cancelled`
  -- says whether there is such a reason.
  add column withdrawn text,
  -- The last full reading that saw it.
  add column reading integer not null default 0,
  -- Grows with each change that matters; `told` is the newest that its workflow was told of.
  add column revision integer not null default 1,
  add column told integer not null default 0,
  add foreign key (tenant_id, calendar_id) references calendars on delete cascade;
-- The last run was called off, by a cancelled meeting or by an operator: nobody has tried in vain.
alter table research add column cancelled boolean not null default false;

create index on meetings (tenant_id, calendar_id, starts_at);
create index on meetings (tenant_id, user_id, starts_at);

-- A message to a user: one for each key, however often it is asked for.
create table notices (
  tenant_id uuid not null references tenants on delete cascade,
  id uuid not null default gen_random_uuid(),
  key text not null,
  kind text not null,
  user_id uuid not null,
  meeting_id uuid,
  research_id uuid,
  status text not null default 'pending' check (status in ('pending', 'sent', 'skipped', 'failed')),
  reason text,
  message_id text not null,
  sandbox boolean not null default false,
  created_at timestamptz not null,
  ended_at timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, key),
  foreign key (tenant_id, user_id) references users on delete cascade,
  foreign key (tenant_id, meeting_id) references meetings on delete cascade,
  foreign key (tenant_id, research_id) references research on delete cascade
);
create index on notices (tenant_id, meeting_id);

do $$
declare fenced text;
begin
  foreach fenced in array array['connections', 'calendars', 'subscriptions', 'notices']
  loop
    execute format('alter table %I enable row level security, force row level security', fenced);
    execute format('create policy tenant on %I using (tenant_id = current_tenant())
                    with check (tenant_id = current_tenant())', fenced);
    execute format('create policy crossing on %I for select to greenroom_crossing using (true)', fenced);
  end loop;
end $$;

grant select, insert, update, delete on connections, calendars, subscriptions, notices to greenroom_app;

-- Across tenants: whose channel a notification is for, who signs in, what is to be polled, renewed or given a new key.
grant select (tenant_id, id, email_key) on users to greenroom_crossing;
create policy crossing on users for select to greenroom_crossing using (true);
grant select (tenant_id, id, calendar_id, status, token_hash, resource_id, expires_at, accepted_until) on subscriptions
  to greenroom_crossing;
grant select (tenant_id, id, connection_id, watched, read_at, pushed_at) on calendars to greenroom_crossing;
grant select (tenant_id, id, status, key_id) on connections to greenroom_crossing;

-- migrate:down

drop table notices, subscriptions;
alter table meetings drop column calendar_id, drop column withdrawn, drop column reading, drop column revision,
  drop column told;
alter table research drop column cancelled;
drop table calendars, connections;
drop policy crossing on users;
alter table users drop column deliver_before_min, drop column briefs_by_mail, drop column email_key,
  drop column signed_out_at;
drop function address_key(text);
