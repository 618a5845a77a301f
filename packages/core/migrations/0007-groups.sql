-- The groups of consumers that a worker is in. Partitions are shared out among those, and not among all who are alive: an
-- instance with older code may know nothing of a group.
alter table flotilla.worker add column groups text[] not null default '{}';

-- Up to where the log had forgotten events when the group asked for them; null: it missed none.
alter table flotilla.subscription add column missed_up_to bigint;

-- Forgetting is by time, and so are the rows: an index of a few pages does, and costs next to nothing at every insert.
drop index flotilla.inbox_handled_at;
create index inbox_handled_at on flotilla.inbox using brin (handled_at) with (autosummarize = on);
