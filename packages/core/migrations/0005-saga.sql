-- Sagas: work in steps that outlives the process that began it. One row each, with what is to happen next; it changes in
-- the transaction of a step's own effects, and only by its owner of the moment (core/saga).
create table flotilla.saga (
  id text primary key check (char_length(id) between 1 and 128),
  -- The order of starting.
  seq bigint generated always as identity unique,
  name text not null,
  -- Not jsonb: that would sort the fields of what people look at.
  state json not null,
  -- What runs next: done when forward, undone when backward. Null when nothing is left to do.
  step text,
  direction text not null default 'forward' check (direction in ('forward', 'backward')),
  status text not null check (status in ('ready', 'running', 'waiting', 'completed', 'compensated', 'parked')),
  -- Of the current step, as far as they failed.
  attempts integer not null default 0,
  failing_since timestamptz(3),
  -- When a waiting one goes on.
  next_at timestamptz(3),
  -- Woken while it ran: what it then wants to wait for may have happened already.
  woken boolean not null default false,
  -- Who runs it (flotilla.worker), and how often it was taken over.
  owner uuid,
  fencing bigint not null default 0,
  -- What went wrong last, and why it is compensated.
  error json,
  cause json,
  -- W3C traceparent of where it was started.
  trace text not null,
  -- Entries in its history.
  entries integer not null default 0,
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now(),
  check ((status = 'running') = (owner is not null)),
  check ((status = 'waiting') = (next_at is not null)),
  check ((status in ('completed', 'compensated')) = (step is null))
) with (fillfactor = 70);

-- One index for every way in which a saga is found: in its turn, by its time, by its owner, by who is called to help.
create index saga_ready on flotilla.saga (seq) where status = 'ready';
create index saga_due on flotilla.saga (next_at) where status = 'waiting';
create index saga_running on flotilla.saga (owner) where status = 'running';
create index saga_parked on flotilla.saga (seq) where status = 'parked';
-- For pruning.
create index saga_finished on flotilla.saga (updated_at) where step is null;

-- What happened to a saga, for people.
create table flotilla.saga_step (
  saga text not null references flotilla.saga (id) on delete cascade,
  seq integer not null,
  step text,
  direction text not null check (direction in ('forward', 'backward')),
  outcome text not null check (outcome in ('done', 'refused', 'failed', 'later', 'parked', 'taken over', 'retried')),
  error json,
  at timestamptz(3) not null default now(),
  primary key (saga, seq)
);
