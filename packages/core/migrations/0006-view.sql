-- Read models that are folds of events. The tables of a generation are in a schema of their own, view_<name>__<generation>;
-- the schema view_<name> shows those of the live one.
create table flotilla.view (
  name text primary key check (char_length(name) <= 40),
  -- The generation that queries see, and the version of the code that folds it.
  live integer not null,
  live_version integer not null,
  -- The generation that is being built beside it.
  building integer,
  building_version integer,
  -- Numbers are never used again: groups of consumers are named after them.
  last_generation integer not null check (last_generation >= 1),
  switched_at timestamptz(3) not null default now(),
  check ((building is null) = (building_version is null))
);
