-- The instance (flotilla.worker) that runs the command. When it is dead, a repeat need not wait for the end of the lease. Null: a
-- row of an earlier release.
alter table flotilla.idempotency add column owner uuid;
