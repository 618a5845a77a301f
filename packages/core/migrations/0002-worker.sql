-- Who is alive: every running copy of the service keeps a row here, and what a row elsewhere says it owns is free for others
-- as soon as its lease is over. Unlogged, because a lease is worth nothing after a crash of the server (the table is empty
-- then, and whoever lives comes back within a second), and because two renewals a second should not each wait for a disk.
create unlogged table flotilla.worker (
  id uuid primary key,
  -- For people.
  instance text not null,
  lease_until timestamptz(3) not null
) with (fillfactor = 50);
