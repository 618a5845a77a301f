create table public.adjustment (
  sku text not null,
  version integer not null,
  on_hand_before integer not null,
  on_hand_after integer not null,
  counted_by text not null,
  counted_at timestamp(3) with time zone not null,
  constraint adjustment_pkey PRIMARY KEY (sku, version),
  constraint adjustment_sku_fkey FOREIGN KEY (sku) REFERENCES public.stock(sku)
);

create table public.stock (
  sku text not null,
  on_hand integer not null,
  reserved integer default 0 not null,
  safety integer default 0 not null,
  available integer generated always as (GREATEST(((on_hand - reserved) - safety), 0)) stored not null,
  version integer not null,
  constraint not_oversold CHECK ((reserved <= on_hand)),
  constraint stock_on_hand_check CHECK (((on_hand >= 0) AND (on_hand <= 1000000))),
  constraint stock_pkey PRIMARY KEY (sku),
  constraint stock_reserved_check CHECK ((reserved >= 0)),
  constraint stock_safety_check CHECK ((safety >= 0)),
  constraint stock_version_check CHECK ((version >= 1))
);
