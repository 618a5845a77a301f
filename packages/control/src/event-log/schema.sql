create table public.event (
  "position" bigint not null,
  partition smallint not null,
  id text not null,
  type text not null,
  version integer not null,
  source text not null,
  "time" timestamp(3) with time zone not null,
  key text not null,
  correlation_id text not null,
  causation_id text,
  traceparent text not null,
  data json not null,
  appended_at timestamp(3) with time zone default now() not null,
  constraint event_pkey PRIMARY KEY ("position")
);

create table public.log_floor (
  is_only boolean default true not null,
  "position" bigint not null,
  constraint log_floor_is_only_check CHECK (is_only),
  constraint log_floor_pkey PRIMARY KEY (is_only),
  constraint log_floor_position_check CHECK (("position" >= 0))
);

create table public.log_head (
  is_only boolean default true not null,
  "position" bigint not null,
  constraint log_head_is_only_check CHECK (is_only),
  constraint log_head_pkey PRIMARY KEY (is_only),
  constraint log_head_position_check CHECK (("position" >= 0))
);

create table public.producer (
  source text not null,
  fencing bigint not null,
  constraint producer_pkey PRIMARY KEY (source)
);

CREATE INDEX event_of_id ON public.event USING btree (id);

CREATE INDEX event_of_key ON public.event USING btree (key, "position");

CREATE INDEX event_of_type ON public.event USING btree (type, "position");
