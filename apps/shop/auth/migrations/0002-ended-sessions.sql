-- Sessions that ended while access tokens of theirs may still be good: gateways ask for them.
create table ended_session (
  -- Without gaps, and visible in order: the head is locked while one is given.
  position bigint primary key check (position > 0),
  -- As in session.
  family_hash bytea not null check (octet_length(family_hash) = 32),
  ended_at timestamptz(3) not null default now()
);

-- For pruning.
create index ended_session_ended_at on ended_session (ended_at);

-- The last position that was given.
create table ended_session_head (
  is_the_one boolean primary key default true check (is_the_one),
  position bigint not null check (position >= 0)
);

insert into ended_session_head (position) values (0);

-- Who is blocked has no sessions and gets none.
alter table account add column blocked_at timestamptz(3);
