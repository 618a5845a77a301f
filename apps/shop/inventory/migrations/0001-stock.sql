-- What is there of each SKU. The checks make it impossible to reserve more than there is, whatever the program does.
create table stock (
  sku text primary key,
  on_hand integer not null check (on_hand between 0 and 1000000),
  reserved integer not null default 0 check (reserved >= 0),
  -- Kept back: never for sale.
  safety integer not null default 0 check (safety >= 0),
  available integer not null generated always as (greatest(on_hand - reserved - safety, 0)) stored,
  version integer not null check (version >= 1),
  constraint not_oversold check (reserved <= on_hand)
);

-- Every count of a SKU: a row for each version, each beginning where the one before ended. Nothing is ever changed here.
create table adjustment (
  sku text not null references stock,
  -- The version it led to.
  version integer not null,
  on_hand_before integer not null,
  on_hand_after integer not null,
  -- A user's id, or 'seed'.
  counted_by text not null,
  counted_at timestamptz(3) not null,
  primary key (sku, version)
);
