-- Where the log ends. One row: its lock, held until the commit of who takes positions, is what makes positions become
-- visible in order, however many instances append.
create table log_head (
  is_only boolean primary key default true check (is_only),
  position bigint not null check (position >= 0)
);
insert into log_head (position) values (0);

-- Up to where the log has forgotten. A row of its own, so that forgetting does not wait for those who append.
create table log_floor (
  is_only boolean primary key default true check (is_only),
  position bigint not null check (position >= 0)
);
insert into log_floor (position) values (0);

-- The newest producer of each source; those before it are refused.
create table producer (
  source text primary key,
  fencing bigint not null
);

create table event (
  position bigint primary key,
  partition smallint not null,
  id text collate "C" not null,
  type text collate "C" not null,
  version integer not null,
  source text not null,
  "time" timestamptz(3) not null,
  key text collate "C" not null,
  correlation_id text not null,
  causation_id text,
  traceparent text not null,
  -- Not jsonb: it comes out as it went in, and nothing looks inside.
  data json not null,
  appended_at timestamptz(3) not null default now()
);

-- For people who look for something.
create index event_of_type on event (type, position);
create index event_of_key on event (key, position);
create index event_of_id on event (id);
