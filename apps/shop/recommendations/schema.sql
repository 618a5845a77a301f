create table public.cancelled_order (
  order_id text not null,
  constraint cancelled_order_pkey PRIMARY KEY (order_id)
);

create table public.product (
  product_id text not null,
  version integer not null,
  sku text not null,
  name text not null,
  category text,
  price integer not null,
  currency text not null,
  is_shown boolean not null,
  constraint product_pkey PRIMARY KEY (product_id)
);

create table public.purchase (
  order_id text not null,
  product_id text not null,
  user_id text not null,
  bought_at timestamp(3) with time zone not null,
  constraint purchase_pkey PRIMARY KEY (order_id, product_id)
);

CREATE INDEX product_of_category ON public.product USING btree (category) WHERE is_shown;

CREATE INDEX purchase_newest ON public.purchase USING btree (bought_at);

CREATE INDEX purchase_of_product ON public.purchase USING btree (product_id, bought_at);

CREATE INDEX purchase_of_user ON public.purchase USING btree (user_id, bought_at);
