-- One row per user who ever put something into a cart. It stays when the cart is emptied or expires, as the memory of the
-- version: a cart that starts anew goes on counting, so that no ETag of an earlier one fits it.
create table cart (
  user_id text primary key,
  id text not null unique,
  version integer not null check (version >= 1),
  -- The last change; the cart expires thirty days after it.
  updated_at timestamptz(3) not null,
  line_count integer not null check (line_count between 0 and 50)
);

-- What the background task looks through.
create index cart_to_expire on cart (updated_at) where line_count > 0;

-- Name and price are those of the moment it was put in: what is shown when the product has left the catalog.
create table cart_line (
  user_id text not null references cart,
  sku text not null,
  quantity integer not null check (quantity between 1 and 99),
  product_id text not null,
  name text not null,
  unit_price bigint not null check (unit_price >= 0),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  -- In the order they were put in.
  position bigint not null generated always as identity,
  primary key (user_id, sku)
);
