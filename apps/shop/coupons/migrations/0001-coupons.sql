-- Codes that make an order cheaper. The check on uses makes it impossible to use one more often than it may be.
create table coupon (
  -- In upper case.
  code text primary key check (code = upper(code)),
  kind text not null check (kind in ('percent', 'fixed', 'free_shipping')),
  -- Percent, or minor units; 0 for free shipping.
  value bigint not null,
  -- The least subtotal, in minor units.
  minimum bigint not null check (minimum >= 0),
  currency text check (currency ~ '^[A-Z]{3}$'),
  limit_total integer check (limit_total >= 1),
  limit_per_customer integer check (limit_per_customer >= 1),
  valid_from timestamptz(3) not null,
  valid_until timestamptz(3),
  -- How many orders have it now: its active rows in coupon_use.
  uses integer not null default 0 check (uses >= 0),
  created_at timestamptz(3) not null default now(),
  constraint value_is_of_its_kind check (case kind
    when 'percent' then value between 1 and 100
    when 'fixed' then value >= 1
    else value = 0 end),
  constraint money_has_a_currency check (currency is not null or (kind <> 'fixed' and minimum = 0)),
  constraint ends_after_it_begins check (valid_until >= valid_from),
  constraint not_overused check (uses <= limit_total)
);

-- One row per order that has used a coupon: active → released. An order that gave back what it had not yet taken has a row
-- without a coupon, which refuses what would be taken later.
create table coupon_use (
  order_id text primary key,
  state text not null check (state in ('active', 'released')),
  code text references coupon,
  user_id text,
  discount bigint check (discount >= 0),
  currency text,
  free_shipping boolean,
  taken_at timestamptz(3) not null default now(),
  released_at timestamptz(3),
  constraint is_whole check (
    num_nonnulls(code, user_id, discount, currency, free_shipping) = case when code is null then 0 else 5 end),
  constraint is_released check ((state = 'released') = (released_at is not null)),
  constraint has_a_coupon check (code is not null or state = 'released')
);

-- What a customer has used.
create index coupon_use_of_customer on coupon_use (code, user_id) where state = 'active';
