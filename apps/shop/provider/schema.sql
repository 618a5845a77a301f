create table public.card (
  token text not null,
  brand text not null,
  last4 text not null,
  expiry text not null,
  is_declined boolean default false not null,
  constraint card_expiry_check CHECK ((expiry ~ '^[0-9]{4}-[0-9]{2}$'::text)),
  constraint card_last4_check CHECK ((last4 ~ '^[0-9]{4}$'::text)),
  constraint card_pkey PRIMARY KEY (token)
);

create table public.charge (
  id text not null,
  reference text not null,
  status text not null,
  amount bigint not null,
  currency text not null,
  captured bigint default 0 not null,
  refunded bigint default 0 not null,
  brand text not null,
  last4 text not null,
  expiry text not null,
  decline_code text,
  created_at timestamp(3) with time zone default now() not null,
  constraint charge_amount_check CHECK ((amount > 0)),
  constraint charge_captured_check CHECK ((captured >= 0)),
  constraint charge_pkey PRIMARY KEY (id),
  constraint charge_refunded_check CHECK ((refunded >= 0)),
  constraint charge_status_check CHECK ((status = ANY (ARRAY['authorised'::text, 'declined'::text, 'captured'::text, 'voided'::text]))),
  constraint not_captured_twice CHECK ((captured <= amount)),
  constraint not_refunded_twice CHECK ((refunded <= captured))
);

create table public.ledger (
  "position" bigint generated always as identity not null,
  charge_id text not null,
  reference text not null,
  kind text not null,
  amount bigint not null,
  currency text not null,
  created_at timestamp(3) with time zone default now() not null,
  constraint ledger_amount_check CHECK ((amount > 0)),
  constraint ledger_charge_id_fkey FOREIGN KEY (charge_id) REFERENCES public.charge(id),
  constraint ledger_kind_check CHECK ((kind = ANY (ARRAY['authorisation'::text, 'decline'::text, 'capture'::text, 'void'::text, 'refund'::text]))),
  constraint ledger_pkey PRIMARY KEY ("position")
);

create table public.odd_reference (
  reference text not null,
  is_hidden boolean default false not null,
  seen_at timestamp(3) with time zone default now() not null,
  constraint odd_reference_pkey PRIMARY KEY (reference)
);

create table public.profile (
  is_the_one boolean default true not null,
  profile jsonb not null,
  constraint profile_is_the_one_check CHECK (is_the_one),
  constraint profile_pkey PRIMARY KEY (is_the_one)
);

create table public.request (
  key text not null,
  fingerprint bytea not null,
  status integer,
  body jsonb,
  created_at timestamp(3) with time zone default now() not null,
  constraint request_pkey PRIMARY KEY (key)
);

create table public.webhook (
  id text not null,
  payload text not null,
  due_at timestamp(3) with time zone not null,
  tries integer default 0 not null,
  deliveries_left integer default 1 not null,
  constraint webhook_deliveries_left_check CHECK ((deliveries_left >= 0)),
  constraint webhook_pkey PRIMARY KEY (id)
);

CREATE INDEX ledger_charge ON public.ledger USING btree (charge_id);

CREATE INDEX ledger_reference ON public.ledger USING btree (reference);

CREATE INDEX webhook_due ON public.webhook USING btree (due_at) WHERE (deliveries_left > 0);

CREATE OR REPLACE FUNCTION public.refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  raise exception 'the ledger is append-only';
end
$function$;

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.ledger FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
