create table public.movement (
  sku text not null,
  version integer not null,
  kind text not null,
  on_hand_delta integer not null,
  reserved_delta integer not null,
  order_id text,
  actor text not null,
  cause text,
  at timestamp(3) with time zone default now() not null,
  constraint is_of_an_order CHECK (((kind = 'count'::text) OR (order_id IS NOT NULL))),
  constraint is_of_its_kind CHECK (
CASE kind
    WHEN 'count'::text THEN (reserved_delta = 0)
    WHEN 'reservation'::text THEN ((on_hand_delta = 0) AND (reserved_delta > 0))
    WHEN 'release'::text THEN ((on_hand_delta = 0) AND (reserved_delta < 0))
    WHEN 'expiry'::text THEN ((on_hand_delta = 0) AND (reserved_delta < 0))
    WHEN 'sale'::text THEN ((on_hand_delta < 0) AND ((reserved_delta = on_hand_delta) OR (reserved_delta = 0)))
    WHEN 'cancellation'::text THEN ((on_hand_delta > 0) AND (reserved_delta = 0))
    WHEN 'restock'::text THEN ((on_hand_delta > 0) AND (reserved_delta = 0))
    ELSE false
END),
  constraint movement_pkey PRIMARY KEY (sku, version),
  constraint movement_sku_fkey FOREIGN KEY (sku) REFERENCES public.stock(sku)
);

create table public.reservation (
  order_id text not null,
  id text not null,
  state text not null,
  version integer not null,
  expires_at timestamp(3) with time zone not null,
  created_at timestamp(3) with time zone default now() not null,
  constraint reservation_id_key UNIQUE (id),
  constraint reservation_pkey PRIMARY KEY (order_id),
  constraint reservation_state_check CHECK ((state = ANY (ARRAY['active'::text, 'committed'::text, 'released'::text, 'expired'::text]))),
  constraint reservation_version_check CHECK ((version >= 1))
);

create table public.reservation_line (
  order_id text not null,
  sku text not null,
  quantity integer not null,
  constraint reservation_line_order_id_fkey FOREIGN KEY (order_id) REFERENCES public.reservation(order_id),
  constraint reservation_line_pkey PRIMARY KEY (order_id, sku),
  constraint reservation_line_quantity_check CHECK ((quantity >= 1)),
  constraint reservation_line_sku_fkey FOREIGN KEY (sku) REFERENCES public.stock(sku)
);

create table public.stock (
  sku text not null,
  on_hand integer not null,
  reserved integer default 0 not null,
  safety integer default 0 not null,
  available integer generated always as (GREATEST(((on_hand - reserved) - safety), 0)) stored not null,
  version integer not null,
  constraint not_oversold CHECK ((reserved <= on_hand)),
  constraint stock_on_hand_check CHECK ((on_hand >= 0)),
  constraint stock_pkey PRIMARY KEY (sku),
  constraint stock_reserved_check CHECK ((reserved >= 0)),
  constraint stock_safety_check CHECK ((safety >= 0)),
  constraint stock_version_check CHECK ((version >= 1))
);

CREATE UNIQUE INDEX movement_once ON public.movement USING btree (order_id, sku, kind) WHERE (kind <> ALL (ARRAY['count'::text, 'restock'::text]));

CREATE INDEX reservation_to_expire ON public.reservation USING btree (expires_at) WHERE (state = 'active'::text);

CREATE OR REPLACE FUNCTION public.refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  raise exception 'movements are only ever added';
end $function$;

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.movement FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
