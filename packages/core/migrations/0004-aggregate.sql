-- Event-sourced aggregates: what happened to each is all that is kept, and its state follows from that.
create table flotilla.aggregate_event (
  -- Which kind of aggregate, such as order, and which one.
  aggregate text not null check (octet_length(aggregate) between 1 and 64),
  id text not null check (octet_length(id) between 1 and 255),
  -- 1, 2, 3 … without gaps.
  version integer not null check (version >= 1),
  type text not null check (octet_length(type) between 1 and 64),
  -- Of the shape of the data, which later readers may have to bring up to date.
  type_version integer not null check (type_version >= 1),
  -- Not jsonb: that would sort the fields, and would not give back the numbers that were written.
  data json not null,
  -- { kind, id }: who did it, and what made it happen.
  actor json not null,
  cause text not null check (octet_length(cause) between 1 and 255),
  -- Never before that of the version below.
  at timestamptz(3) not null,
  primary key (aggregate, id, version)
);

-- States that were already worked out. All are kept: the state at an earlier time is found from the one before it.
create table flotilla.aggregate_snapshot (
  aggregate text not null,
  id text not null,
  version integer not null,
  -- Names the code that worked it out; others take no notice of it.
  made_by text not null,
  state json not null,
  -- Of the event of this version.
  at timestamptz(3) not null,
  primary key (aggregate, id, version),
  foreign key (aggregate, id, version) references flotilla.aggregate_event
);

-- Appends events after a version, which must be the last one, and returns their time. Somebody who was faster is told as a
-- serialization failure, for that is what it is: whoever decided by the state before must look again and decide anew.
create function flotilla.append_events(
  to_aggregate text, to_id text, after_version integer, events json, by_actor json, by_cause text
) returns timestamptz(3) language plpgsql as $$
declare
  last_version integer;
  last_at timestamptz(3);
  appended_at timestamptz(3);
  appended integer;
begin
  select e.version, e.at into last_version, last_at from flotilla.aggregate_event e
  where e.aggregate = to_aggregate and e.id = to_id order by e.version desc limit 1;
  if coalesce(last_version, 0) = after_version then
    -- This transaction may have begun before the one that wrote the last event.
    appended_at := greatest(now(), last_at);
    insert into flotilla.aggregate_event (aggregate, id, version, type, type_version, data, actor, cause, at)
    select to_aggregate, to_id, after_version + ordinality, event ->> 'type', (event ->> 'version')::integer, event -> 'data',
      by_actor, by_cause, appended_at
    from json_array_elements(events) with ordinality as listed (event)
    -- Waits for a transaction that is appending the same version; it may still be rolled back.
    on conflict do nothing;
    get diagnostics appended = row_count;
    if appended = json_array_length(events) then
      return appended_at;
    end if;
  end if;
  raise exception 'other events were appended meanwhile' using errcode = 'serialization_failure';
end $$;
