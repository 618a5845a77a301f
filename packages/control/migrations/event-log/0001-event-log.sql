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

-- Appends, several at once: the first three arrays have an element for each append, the others one for each event, `appends`
-- saying which append it belongs to, from 1. Gives for each append whether it was accepted; one is not when its producer was
-- replaced. A function, so that the lock on the head is never held across a journey to a process that may have been stopped.
create function append_events(
  append_sources text[], append_fencings bigint[],
  appends integer[], partitions smallint[], ids text[], types text[], versions integer[], sources text[],
  times timestamptz[], keys text[], correlation_ids text[], causation_ids text[], traceparents text[], documents text[]
) returns boolean[] language plpgsql as $$
declare
  head bigint;
  newest bigint;
  added bigint;
  accepted boolean[] := '{}';
begin
  select position into strict head from log_head for update;
  -- Only now: what is looked at before the lock was had may have changed since.
  for number in 1 .. cardinality(append_sources) loop
    select fencing into newest from producer where source = append_sources[number];
    accepted[number] := newest is null or append_fencings[number] >= newest;
    if newest is null or append_fencings[number] > newest then
      insert into producer (source, fencing) values (append_sources[number], append_fencings[number])
      on conflict (source) do update set fencing = excluded.fencing;
    end if;
  end loop;
  insert into event (position, partition, id, type, version, source, "time", key, correlation_id, causation_id,
    traceparent, data)
  select head + row_number() over (order by e.number), e.partition, e.id, e.type, e.version, e.source, e."time", e.key,
    e.correlation_id, e.causation_id, e.traceparent, e.document::json
  from unnest(appends, partitions, ids, types, versions, sources, times, keys, correlation_ids, causation_ids,
    traceparents, documents) with ordinality as e(append, partition, id, type, version, source, "time", key,
    correlation_id, causation_id, traceparent, document, number)
  where accepted[e.append];
  get diagnostics added = row_count;
  if added > 0 then
    update log_head set position = head + added;
  end if;
  return accepted;
end $$;
