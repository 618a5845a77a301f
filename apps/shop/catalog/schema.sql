create table public.category (
  slug text not null,
  name text not null,
  description text not null,
  "position" integer not null,
  constraint category_pkey PRIMARY KEY (slug),
  constraint category_position_key UNIQUE ("position")
);

create table public.product (
  id text not null,
  sku text not null,
  name text not null,
  name_key text generated always as (lower(name)) stored not null,
  description text not null,
  category text not null,
  price integer not null,
  currency text not null,
  attributes jsonb not null,
  is_published boolean not null,
  rating_sum integer default 0 not null,
  rating_count integer default 0 not null,
  rating double precision generated always as (
CASE
    WHEN (rating_count = 0) THEN (0)::double precision
    ELSE (round(((rating_sum)::numeric / (rating_count)::numeric), 2))::double precision
END) stored not null,
  version integer default 1 not null,
  created_at timestamp(3) with time zone not null,
  updated_at timestamp(3) with time zone not null,
  deleted_at timestamp(3) with time zone,
  constraint product_category_fkey FOREIGN KEY (category) REFERENCES public.category(slug),
  constraint product_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
  constraint product_pkey PRIMARY KEY (id),
  constraint product_price_check CHECK ((price >= 0)),
  constraint product_rating_count_check CHECK ((rating_count >= 0)),
  constraint product_sku_key UNIQUE (sku),
  constraint product_version_check CHECK ((version >= 1))
);

create table public.review (
  id text not null,
  product_id text not null,
  user_id text not null,
  author text not null,
  stars smallint not null,
  title text not null,
  body text not null,
  created_at timestamp(3) with time zone not null,
  constraint review_once UNIQUE (product_id, user_id),
  constraint review_pkey PRIMARY KEY (id),
  constraint review_product_id_fkey FOREIGN KEY (product_id) REFERENCES public.product(id),
  constraint review_stars_check CHECK (((stars >= 1) AND (stars <= 5)))
);

CREATE INDEX product_category ON public.product USING btree (category) WHERE (is_published AND (deleted_at IS NULL));

CREATE INDEX product_name ON public.product USING btree (name_key, id) WHERE (is_published AND (deleted_at IS NULL));

CREATE INDEX product_newest ON public.product USING btree (created_at, id) WHERE (is_published AND (deleted_at IS NULL));

CREATE INDEX product_price ON public.product USING btree (price, id) WHERE (is_published AND (deleted_at IS NULL));

CREATE INDEX product_rating ON public.product USING btree (rating, id) WHERE (is_published AND (deleted_at IS NULL));

CREATE INDEX review_newest ON public.review USING btree (product_id, created_at, id);
