create table public."order" (
  id text not null,
  user_id text not null,
  cart_id text not null,
  status text not null,
  payment_status text not null,
  fulfilment_status text not null,
  total bigint not null,
  currency text not null,
  placed_at timestamp(3) with time zone not null,
  version integer not null,
  constraint order_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
  constraint order_fulfilment_status_check CHECK ((fulfilment_status = ANY (ARRAY['unfulfilled'::text, 'shipped'::text, 'delivered'::text, 'stopped'::text]))),
  constraint order_payment_status_check CHECK ((payment_status = ANY (ARRAY['none'::text, 'processing'::text, 'authorised'::text, 'captured'::text, 'partially_refunded'::text, 'refunded'::text, 'voided'::text, 'declined'::text]))),
  constraint order_pkey PRIMARY KEY (id),
  constraint order_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'confirmed'::text, 'shipped'::text, 'delivered'::text, 'rejected'::text, 'cancelled'::text, 'expired'::text]))),
  constraint order_total_check CHECK ((total >= 0)),
  constraint order_version_check CHECK ((version >= 1))
);

CREATE INDEX order_of_user ON public."order" USING btree (user_id, placed_at, id);

CREATE UNIQUE INDEX order_once_per_cart ON public."order" USING btree (cart_id) WHERE (status <> ALL (ARRAY['rejected'::text, 'cancelled'::text, 'expired'::text]));
