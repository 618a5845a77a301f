create table public.cart (
  user_id text not null,
  id text not null,
  version integer not null,
  updated_at timestamp(3) with time zone not null,
  line_count integer not null,
  coupon text,
  constraint cart_id_key UNIQUE (id),
  constraint cart_line_count_check CHECK (((line_count >= 0) AND (line_count <= 50))),
  constraint cart_pkey PRIMARY KEY (user_id),
  constraint cart_version_check CHECK ((version >= 1))
);

create table public.cart_line (
  user_id text not null,
  sku text not null,
  quantity integer not null,
  product_id text not null,
  name text not null,
  unit_price bigint not null,
  currency text not null,
  "position" bigint generated always as identity not null,
  constraint cart_line_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
  constraint cart_line_pkey PRIMARY KEY (user_id, sku),
  constraint cart_line_quantity_check CHECK (((quantity >= 1) AND (quantity <= 99))),
  constraint cart_line_unit_price_check CHECK ((unit_price >= 0)),
  constraint cart_line_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.cart(user_id)
);

create table public.cart_order (
  order_id text not null,
  cart_id text not null,
  version integer not null,
  user_id text not null,
  ordered_at timestamp(3) with time zone default now() not null,
  constraint cart_order_of_a_cart UNIQUE (cart_id, version),
  constraint cart_order_pkey PRIMARY KEY (order_id)
);

CREATE INDEX cart_to_expire ON public.cart USING btree (updated_at) WHERE (line_count > 0);
