-- A price that was told and holds for a while.
create table quote (
  id text collate "C" primary key,
  user_id text collate "C" not null,
  country text not null,
  postcode text not null,
  method text not null,
  -- Minor units, as all amounts.
  subtotal integer not null check (subtotal >= 0),
  price integer not null check (price >= 0),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  days_min integer not null,
  days_max integer not null,
  expires_at timestamptz(3) not null
);

create index quote_expiry on quote (expires_at);

-- What became of sending an order. The one row that both a stop and the first parcel to leave must win: who changes it
-- first has decided. A stop that comes before the order leaves a row too, so that nothing is sent later.
create table fulfilment (
  order_id text collate "C" primary key,
  fate text not null check (fate in ('open', 'shipped', 'stopped'))
);

create table shipment (
  id text collate "C" primary key,
  order_id text collate "C" not null references fulfilment,
  -- From 1: an order may be sent in several parcels.
  ordinal integer not null check (ordinal >= 1),
  user_id text collate "C" not null,
  -- Told along with what becomes of the parcel.
  email text not null,
  address jsonb not null,
  status text not null check (status in ('pending', 'packed', 'shipped', 'delivered', 'stopped')),
  -- When it came into this status.
  since timestamptz(3) not null default now(),
  created_at timestamptz(3) not null default now(),
  packed_at timestamptz(3),
  shipped_at timestamptz(3),
  delivered_at timestamptz(3),
  tracking_number text unique,
  unique (order_id, ordinal),
  constraint tracked_when_shipped check ((status in ('shipped', 'delivered')) = (tracking_number is not null)),
  constraint moments_of_status check (
    (shipped_at is not null) = (status in ('shipped', 'delivered')) and (delivered_at is not null) = (status = 'delivered'))
);

-- What the carrier looks through.
create index shipment_moving on shipment (status, since) where status in ('pending', 'packed', 'shipped');

create table shipment_line (
  shipment_id text collate "C" not null references shipment,
  sku text collate "C" not null,
  quantity integer not null check (quantity >= 1),
  primary key (shipment_id, sku)
);
