-- What was bought, one row for each product of an order. Rows are only ever added, so that it does not matter how often
-- or in which order one hears of orders.
create table purchase (
  order_id text collate "C" not null,
  product_id text collate "C" not null,
  user_id text collate "C" not null,
  -- When the order was confirmed, by the shop.
  bought_at timestamptz(3) not null,
  primary key (order_id, product_id)
);

create index purchase_of_user on purchase (user_id, bought_at);
create index purchase_of_product on purchase (product_id, bought_at);
create index purchase_newest on purchase (bought_at);

-- Orders that do not count, whether or not one has heard of their purchases.
create table cancelled_order (
  order_id text collate "C" primary key
);

-- Products as the catalog tells of them.
create table product (
  product_id text collate "C" primary key,
  -- The newest known, also of what was taken out: something older that comes late changes nothing.
  version integer not null,
  sku text collate "C" not null,
  name text not null,
  -- Null, as the rest is empty: nothing but that it is gone was ever told.
  category text collate "C",
  -- Minor units.
  price integer not null,
  currency text not null,
  is_shown boolean not null
);

create index product_of_category on product (category) where is_shown;
