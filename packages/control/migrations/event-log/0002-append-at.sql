-- As `append_events`, which instances of an earlier release go on calling; but says where the log ended before, so that whoever
-- appends knows the positions of its events without reading them. Gives for each append where the log ended before all of them;
-- null for one that was not accepted.
create function append_events_at(
  append_sources text[], append_fencings bigint[],
  appends integer[], partitions smallint[], ids text[], types text[], versions integer[], sources text[],
  times timestamptz[], keys text[], correlation_ids text[], causation_ids text[], traceparents text[], documents text[]
) returns bigint[] language plpgsql as $$
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
end $$;
