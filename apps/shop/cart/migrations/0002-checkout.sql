-- The coupon that the owner has put on the cart, in upper case.
alter table cart add column coupon text;

-- Which order took what out of which cart: each once. Also the memory of whose carts of earlier ids were.
create table cart_order (
  order_id text primary key,
  cart_id text not null,
  version integer not null,
  user_id text not null,
  ordered_at timestamptz(3) not null default now(),
  constraint cart_order_of_a_cart unique (cart_id, version)
);
