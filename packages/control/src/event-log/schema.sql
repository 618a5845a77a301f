create table public.event (
  "position" bigint not null,
  partition smallint not null,
  id text not null,
  type text not null,
  version integer not null,
  source text not null,
  "time" timestamp(3) with time zone not null,
  key text not null,
  correlation_id text not null,
  causation_id text,
  traceparent text not null,
  data json not null,
  appended_at timestamp(3) with time zone default now() not null,
  constraint event_pkey PRIMARY KEY ("position")
);

create table public.log_floor (
  is_only boolean default true not null,
  "position" bigint not null,
  constraint log_floor_is_only_check CHECK (is_only),
  constraint log_floor_pkey PRIMARY KEY (is_only),
  constraint log_floor_position_check CHECK (("position" >= 0))
);

create table public.log_head (
  is_only boolean default true not null,
  "position" bigint not null,
  constraint log_head_is_only_check CHECK (is_only),
  constraint log_head_pkey PRIMARY KEY (is_only),
  constraint log_head_position_check CHECK (("position" >= 0))
);

create table public.producer (
  source text not null,
  fencing bigint not null,
  constraint producer_pkey PRIMARY KEY (source)
);

CREATE INDEX event_of_id ON public.event USING btree (id);

CREATE INDEX event_of_key ON public.event USING btree (key, "position");

CREATE INDEX event_of_type ON public.event USING btree (type, "position");

CREATE OR REPLACE FUNCTION public.append_events(append_sources text[], append_fencings bigint[], appends integer[], partitions smallint[], ids text[], types text[], versions integer[], sources text[], times timestamp with time zone[], keys text[], correlation_ids text[], causation_ids text[], traceparents text[], documents text[])
 RETURNS boolean[]
 LANGUAGE plpgsql
AS $function$
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
end $function$;

CREATE OR REPLACE FUNCTION public.append_events_at(append_sources text[], append_fencings bigint[], appends integer[], partitions smallint[], ids text[], types text[], versions integer[], sources text[], times timestamp with time zone[], keys text[], correlation_ids text[], causation_ids text[], traceparents text[], documents text[])
 RETURNS bigint[]
 LANGUAGE plpgsql
AS $function$
declare
  head bigint;
  newest bigint;
  added bigint;
  ends bigint[] := '{}';
begin
  select position into strict head from log_head for update;
  -- Only now: what is looked at before the lock was had may have changed since.
  for number in 1 .. cardinality(append_sources) loop
    select fencing into newest from producer where source = append_sources[number];
    ends[number] := case when newest is null or append_fencings[number] >= newest then head end;
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
  where ends[e.append] is not null;
  get diagnostics added = row_count;
  if added > 0 then
    update log_head set position = head + added;
  end if;
  return ends;
end $function$;
