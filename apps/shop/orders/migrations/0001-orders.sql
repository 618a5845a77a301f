-- What lists and checks need of each order; what an order is, is in its events (flotilla.aggregate_event, aggregate 'order').
-- Written in the transaction of every event.
create table "order" (
  id text primary key,
  user_id text not null,
  cart_id text not null,
  status text not null check (status in ('pending', 'confirmed', 'shipped', 'delivered', 'rejected', 'cancelled', 'expired')),
  payment_status text not null check (payment_status in
    ('none', 'processing', 'authorised', 'captured', 'partially_refunded', 'refunded', 'voided', 'declined')),
  fulfilment_status text not null check (fulfilment_status in ('unfulfilled', 'shipped', 'delivered', 'stopped')),
  -- Minor units.
  total bigint not null check (total >= 0),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  placed_at timestamptz(3) not null,
  -- Events of the aggregate so far.
  version integer not null check (version >= 1)
);

create index order_of_user on "order" (user_id, placed_at, id);
-- One cart, one order; a cart whose order came to nothing may be ordered again.
create unique index order_once_per_cart on "order" (cart_id) where status not in ('rejected', 'cancelled', 'expired');
