-- What is kept for an order: active → committed | released | expired; expired → committed | released; committed → released.
-- One that is released before it was made is a row without lines, which refuses what would be reserved later.
create table reservation (
  order_id text primary key,
  id text not null unique,
  state text not null check (state in ('active', 'committed', 'released', 'expired')),
  version integer not null check (version >= 1),
  expires_at timestamptz(3) not null,
  created_at timestamptz(3) not null default now()
);

-- What the background task looks through.
create index reservation_to_expire on reservation (expires_at) where state = 'active';

create table reservation_line (
  order_id text not null references reservation,
  sku text not null references stock,
  quantity integer not null check (quantity >= 1),
  primary key (order_id, sku)
);

-- Every change of a SKU's stock, one row for each version of it: the deltas of a SKU add up to what is on hand and to what
-- is reserved.
create table movement (
  sku text not null references stock,
  -- The version it led to.
  version integer not null,
  kind text not null,
  on_hand_delta integer not null,
  reserved_delta integer not null,
  -- Absent for counts.
  order_id text,
  -- A user's id, a service, or 'seed'.
  actor text not null,
  -- Why, as whoever released it said.
  cause text,
  at timestamptz(3) not null default now(),
  primary key (sku, version),
  constraint is_of_its_kind check (case kind
    when 'count' then reserved_delta = 0
    when 'reservation' then on_hand_delta = 0 and reserved_delta > 0
    when 'release' then on_hand_delta = 0 and reserved_delta < 0
    when 'expiry' then on_hand_delta = 0 and reserved_delta < 0
    -- Of what was reserved, or, when that had expired, of what was there.
    when 'sale' then on_hand_delta < 0 and reserved_delta in (on_hand_delta, 0)
    when 'cancellation' then on_hand_delta > 0 and reserved_delta = 0
    when 'restock' then on_hand_delta > 0 and reserved_delta = 0
    else false end),
  constraint is_of_an_order check (kind = 'count' or order_id is not null)
);

-- Whatever happens to an order, happens to each of its SKUs once.
create unique index movement_once on movement (order_id, sku, kind) where kind not in ('count', 'restock');

insert into movement (sku, version, kind, on_hand_delta, reserved_delta, actor, at)
  select sku, version, 'count', on_hand_after - on_hand_before, 0, counted_by, counted_at from adjustment;

drop table adjustment;

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'movements are only ever added';
end $$;

create trigger append_only before update or delete or truncate on movement
  for each statement execute function refuse_change();

-- Counts are bounded where they come in. What is cancelled must find room beyond that.
alter table stock drop constraint stock_on_hand_check, add constraint stock_on_hand_check check (on_hand >= 0);
