create table public.message (
  message_id text not null,
  receipts integer default 1 not null,
  sender text not null,
  recipients text[] not null,
  subject text not null,
  body text not null,
  order_id text,
  template text,
  received_at timestamp(3) with time zone default now() not null,
  constraint message_pkey PRIMARY KEY (message_id),
  constraint message_receipts_check CHECK ((receipts >= 1))
);

CREATE INDEX message_newest ON public.message USING btree (received_at, message_id);

CREATE INDEX message_of_order ON public.message USING btree (order_id);
