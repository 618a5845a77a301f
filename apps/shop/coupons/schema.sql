create table public.coupon (
  code text not null,
  kind text not null,
  value bigint not null,
  minimum bigint not null,
  currency text,
  limit_total integer,
  limit_per_customer integer,
  valid_from timestamp(3) with time zone not null,
  valid_until timestamp(3) with time zone,
  uses integer default 0 not null,
  created_at timestamp(3) with time zone default now() not null,
  constraint coupon_code_check CHECK ((code = upper(code))),
  constraint coupon_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
  constraint coupon_kind_check CHECK ((kind = ANY (ARRAY['percent'::text, 'fixed'::text, 'free_shipping'::text]))),
  constraint coupon_limit_per_customer_check CHECK ((limit_per_customer >= 1)),
  constraint coupon_limit_total_check CHECK ((limit_total >= 1)),
  constraint coupon_minimum_check CHECK ((minimum >= 0)),
  constraint coupon_pkey PRIMARY KEY (code),
  constraint coupon_uses_check CHECK ((uses >= 0)),
  constraint ends_after_it_begins CHECK ((valid_until >= valid_from)),
  constraint money_has_a_currency CHECK (((currency IS NOT NULL) OR ((kind <> 'fixed'::text) AND (minimum = 0)))),
  constraint not_overused CHECK ((uses <= limit_total)),
  constraint value_is_of_its_kind CHECK (
CASE kind
    WHEN 'percent'::text THEN ((value >= 1) AND (value <= 100))
    WHEN 'fixed'::text THEN (value >= 1)
    ELSE (value = 0)
END)
);

create table public.coupon_use (
  order_id text not null,
  state text not null,
  code text,
  user_id text,
  discount bigint,
  currency text,
  free_shipping boolean,
  taken_at timestamp(3) with time zone default now() not null,
  released_at timestamp(3) with time zone,
  constraint coupon_use_code_fkey FOREIGN KEY (code) REFERENCES public.coupon(code),
  constraint coupon_use_discount_check CHECK ((discount >= 0)),
  constraint coupon_use_pkey PRIMARY KEY (order_id),
  constraint coupon_use_state_check CHECK ((state = ANY (ARRAY['active'::text, 'released'::text]))),
  constraint has_a_coupon CHECK (((code IS NOT NULL) OR (state = 'released'::text))),
  constraint is_released CHECK (((state = 'released'::text) = (released_at IS NOT NULL))),
  constraint is_whole CHECK ((num_nonnulls(code, user_id, discount, currency, free_shipping) =
CASE
    WHEN (code IS NULL) THEN 0
    ELSE 5
END))
);

CREATE INDEX coupon_use_of_customer ON public.coupon_use USING btree (code, user_id) WHERE (state = 'active'::text);
