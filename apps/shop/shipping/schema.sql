create table public.fulfilment (
  order_id text not null,
  fate text not null,
  constraint fulfilment_fate_check CHECK ((fate = ANY (ARRAY['open'::text, 'shipped'::text, 'stopped'::text]))),
  constraint fulfilment_pkey PRIMARY KEY (order_id)
);

create table public.quote (
  id text not null,
  user_id text not null,
  country text not null,
  postcode text not null,
  method text not null,
  subtotal bigint not null,
  price integer not null,
  currency text not null,
  days_min integer not null,
  days_max integer not null,
  expires_at timestamp(3) with time zone not null,
  constraint quote_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
  constraint quote_pkey PRIMARY KEY (id),
  constraint quote_price_check CHECK ((price >= 0)),
  constraint quote_subtotal_check CHECK ((subtotal >= 0))
);

create table public.shipment (
  id text not null,
  order_id text not null,
  ordinal integer not null,
  user_id text not null,
  email text not null,
  address jsonb not null,
  status text not null,
  since timestamp(3) with time zone default now() not null,
  created_at timestamp(3) with time zone default now() not null,
  packed_at timestamp(3) with time zone,
  shipped_at timestamp(3) with time zone,
  delivered_at timestamp(3) with time zone,
  tracking_number text,
  constraint moments_of_status CHECK ((((shipped_at IS NOT NULL) = (status = ANY (ARRAY['shipped'::text, 'delivered'::text]))) AND ((delivered_at IS NOT NULL) = (status = 'delivered'::text)))),
  constraint shipment_order_id_fkey FOREIGN KEY (order_id) REFERENCES public.fulfilment(order_id),
  constraint shipment_order_id_ordinal_key UNIQUE (order_id, ordinal),
  constraint shipment_ordinal_check CHECK ((ordinal >= 1)),
  constraint shipment_pkey PRIMARY KEY (id),
  constraint shipment_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'packed'::text, 'shipped'::text, 'delivered'::text, 'stopped'::text]))),
  constraint shipment_tracking_number_key UNIQUE (tracking_number),
  constraint tracked_when_shipped CHECK (((status = ANY (ARRAY['shipped'::text, 'delivered'::text])) = (tracking_number IS NOT NULL)))
);

create table public.shipment_line (
  shipment_id text not null,
  sku text not null,
  quantity integer not null,
  constraint shipment_line_pkey PRIMARY KEY (shipment_id, sku),
  constraint shipment_line_quantity_check CHECK ((quantity >= 1)),
  constraint shipment_line_shipment_id_fkey FOREIGN KEY (shipment_id) REFERENCES public.shipment(id)
);

CREATE INDEX quote_expiry ON public.quote USING btree (expires_at);

CREATE INDEX shipment_moving ON public.shipment USING btree (status, since) WHERE (status = ANY (ARRAY['pending'::text, 'packed'::text, 'shipped'::text]));
