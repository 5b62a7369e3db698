-- migrate:up

-- What kind of fact a claim is, and whether its source is recent enough for that kind to be shown as how things are.
alter table claims
  add column topic text not null default 'other',
  add column current boolean not null default true;

alter table briefs
  -- Facts of this brief that cannot all be true: lists of claim ids.
  add column conflicts jsonb not null default '[]',
  -- What was spared so that the budget lasts, in sentences.
  add column economies text[] not null default '{}';

-- Who was found when it could not be told which of them will be met.
alter table brief_subjects add column candidates jsonb not null default '[]';

-- By which prompt an answer was asked for, and by which run of a workflow it was bought.
alter table answers
  add column prompt text not null default '',
  add column workflow_id text not null default '',
  add column run_id text not null default '';

-- Its title named somebody who asked to be forgotten: it is not taken from the calendar again.
alter table meetings add column title_erased boolean not null default false;

-- By what rows are looked for when something that they hang on is deleted.
create index brief_evidence_evidence on brief_evidence (tenant_id, evidence_id);
create index run_subjects_subject on run_subjects (tenant_id, subject_id);
create index brief_subjects_subject on brief_subjects (tenant_id, subject_id);
create index claims_subject on claims (tenant_id, subject_id);
create index research_meeting on research (tenant_id, meeting_id);
create index notices_research on notices (tenant_id, research_id);

-- What the newest run spared when it began.
alter table research add column economies text[] not null default '{}';

-- What may be spent. A tenant without a row has the settings' caps, as has a cap that is null. Millionths of a dollar.
create table budgets (
  tenant_id uuid primary key references tenants on delete cascade,
  month_micro_usd bigint check (month_micro_usd >= 0),
  meeting_micro_usd bigint check (meeting_micro_usd >= 0),
  run_micro_usd bigint check (run_micro_usd >= 0)
);

-- What a month has cost so far, with what is reserved: the one row that everybody who spends locks.
create table months (
  tenant_id uuid not null references tenants on delete cascade,
  month date not null check (extract(day from month) = 1),
  micro_usd bigint not null default 0 check (micro_usd >= 0),
  primary key (tenant_id, month)
);

-- The ledger: what a paid call can cost at most is planned for when its run begins, reserved when it is made, and then
-- settled with what it did cost, or released.
create table spending (
  tenant_id uuid not null references tenants on delete cascade,
  id uuid not null default gen_random_uuid(),
  month date not null,
  research_id uuid not null,
  version integer not null,
  -- What is bought, within a version: the same thing is paid for once, however often it is tried.
  purpose text not null,
  provider text not null,
  model text not null,
  state text not null check (state in ('planned', 'reserved', 'settled', 'released')),
  -- What counts against the caps: the most it can cost, then what it did cost, or nothing.
  micro_usd bigint not null check (micro_usd >= 0),
  -- Its usage was not told: what was reserved is taken for its price.
  assumed boolean not null default false,
  reserved_at timestamptz not null,
  ended_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, month) references months on delete cascade,
  check ((state in ('planned', 'reserved')) = (ended_at is null))
);
create unique index on spending (tenant_id, research_id, version, purpose) where ended_at is null;
create index on spending (tenant_id, research_id);
create index on spending (tenant_id, month);
create index on spending (tenant_id, reserved_at) where ended_at is null;

-- What readers said of claims. The claim may be gone: what it said, and where it stood, is kept with the subject.
create table marks (
  tenant_id uuid not null,
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  research_id uuid not null,
  claim_id uuid not null,
  subject_id uuid,
  verdict text not null check (verdict in ('wrong_person', 'wrong', 'stale', 'useful')),
  text text not null,
  url text not null default '',
  quote text not null default '',
  created_at timestamptz not null,
  primary key (tenant_id, id),
  unique (tenant_id, user_id, claim_id),
  foreign key (tenant_id, user_id) references users on delete cascade,
  foreign key (tenant_id, subject_id) references subjects on delete cascade,
  foreign key (tenant_id, research_id) references research on delete cascade
);
create index on marks (tenant_id, subject_id);
create index on marks (tenant_id, research_id);
create index on marks (tenant_id, claim_id);

-- How long what was found out is kept.
alter table tenants add column retention_days integer not null default 180 check (retention_days between 1 and 3650);

-- People who are not to be researched: a hash of what stands for them in ids, which tells nobody who they are.
create table suppressions (
  tenant_id uuid not null references tenants on delete cascade,
  key text not null,
  created_at timestamptz not null,
  primary key (tenant_id, key)
);

-- Requests to forget somebody. The address is here until it is done, and then nowhere.
create table erasures (
  tenant_id uuid not null references tenants on delete cascade,
  id uuid not null default gen_random_uuid(),
  email text,
  -- What else they are called in texts, while they are looked for.
  names text[] not null default '{}',
  requested_at timestamptz not null,
  finished_at timestamptz,
  report jsonb,
  primary key (tenant_id, id),
  check ((finished_at is null) = (email is not null)),
  check (finished_at is null or names = '{}')
);

do $$
declare fenced text;
begin
  foreach fenced in array array['budgets', 'months', 'spending', 'marks', 'suppressions', 'erasures']
  loop
    execute format('alter table %I enable row level security, force row level security', fenced);
    execute format('create policy tenant on %I using (tenant_id = current_tenant())
                    with check (tenant_id = current_tenant())', fenced);
  end loop;
end $$;

grant select, insert, update, delete on budgets, months, spending, marks, suppressions, erasures to greenroom_app;

-- migrate:down

drop table erasures, suppressions, marks, spending, months, budgets;
alter table tenants drop column retention_days;
alter table research drop column economies;
drop index notices_research, research_meeting, claims_subject, brief_subjects_subject, run_subjects_subject,
  brief_evidence_evidence;
alter table meetings drop column title_erased;
alter table answers drop column run_id, drop column workflow_id, drop column prompt;
alter table brief_subjects drop column candidates;
alter table briefs drop column economies, drop column conflicts;
alter table claims drop column current, drop column topic;
