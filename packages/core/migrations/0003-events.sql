-- Events that this service has published and the event log does not have yet. Written in the transaction of what they tell;
-- taken away when the log has acknowledged them.
create table flotilla.outbox (
  -- The order of leaving. A later event of the same key has a greater id, since it was written after the earlier one's commit.
  id bigint generated always as identity primary key,
  event json not null
);

-- Who moves events from the outbox to the log: one worker at a time.
create table flotilla.relay (
  is_only boolean primary key default true check (is_only),
  owner uuid,
  -- Grows with every change of owner; the log refuses what comes under an older one.
  fencing bigint not null default 0
);
insert into flotilla.relay default values;

-- How far each group of consumers in this service has come in each partition of the log, and which worker goes on there.
create table flotilla.subscription (
  group_name text not null,
  partition smallint not null check (partition >= 0),
  -- Of the last event handled, or looked at and passed over. Moves in the transaction of the event's effects.
  position bigint not null default 0 check (position >= 0),
  owner uuid,
  fencing bigint not null default 0,
  primary key (group_name, partition)
);

-- Events handled or parked, each once per group: written in the transaction of its effects, so that an event that the log
-- tells twice has them once.
create table flotilla.inbox (
  group_name text not null,
  event_id uuid not null,
  handled_at timestamptz(3) not null default now(),
  primary key (group_name, event_id)
);
-- For pruning.
create index inbox_handled_at on flotilla.inbox (handled_at);

-- Events that could not be handled, and later ones of the same key, which wait for them.
create table flotilla.parked (
  id bigint generated always as identity primary key,
  group_name text not null,
  partition smallint not null,
  position bigint not null,
  key text not null,
  event_id uuid not null,
  topic text not null,
  event json not null,
  -- waiting: behind an earlier one of its key. retrying: failed, and tried again at next_at. dead: failed for good; people
  -- decide. The first of a key is the one to go on with, whether it is waiting or retrying.
  state text not null check (state in ('waiting', 'retrying', 'dead')),
  attempts integer not null default 0 check (attempts >= 0),
  next_at timestamptz(3) not null default now(),
  -- Of the last attempt: code, message, stack and trace.
  error json,
  parked_at timestamptz(3) not null default now(),
  unique (group_name, event_id)
);
create index parked_key on flotilla.parked (group_name, key, id);
create index parked_next_at on flotilla.parked (group_name, next_at) where state <> 'dead';
