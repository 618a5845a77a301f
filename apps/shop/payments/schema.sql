create table public.attempt (
  id text not null,
  state text not null,
  order_id text,
  user_id text,
  payment_token text,
  amount bigint,
  currency text,
  is_void_wanted boolean default false not null,
  charge_id text,
  decline_code text,
  brand text,
  last4 text,
  expiry text,
  authorised bigint default 0 not null,
  capturing bigint default 0 not null,
  captured bigint default 0 not null,
  refunding bigint default 0 not null,
  refunded bigint default 0 not null,
  version bigint default 1 not null,
  created_at timestamp(3) with time zone default now() not null,
  updated_at timestamp(3) with time zone default now() not null,
  constraint attempt_amount_check CHECK ((amount > 0)),
  constraint attempt_authorised_check CHECK ((authorised >= 0)),
  constraint attempt_captured_check CHECK ((captured >= 0)),
  constraint attempt_capturing_check CHECK ((capturing >= 0)),
  constraint attempt_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
  constraint attempt_expiry_check CHECK ((expiry ~ '^[0-9]{4}-[0-9]{2}$'::text)),
  constraint attempt_last4_check CHECK ((last4 ~ '^[0-9]{4}$'::text)),
  constraint attempt_payment_token_check CHECK ((payment_token ~ '^tok_[A-Za-z0-9_-]{1,60}$'::text)),
  constraint attempt_pkey PRIMARY KEY (id),
  constraint attempt_refunded_check CHECK ((refunded >= 0)),
  constraint attempt_refunding_check CHECK ((refunding >= 0)),
  constraint attempt_state_check CHECK ((state = ANY (ARRAY['authorising'::text, 'authorised'::text, 'declined'::text, 'capturing'::text, 'captured'::text, 'refunding'::text, 'partially_refunded'::text, 'refunded'::text, 'voiding'::text, 'voided'::text]))),
  constraint made_or_voided CHECK (((state = 'voided'::text) OR (num_nulls(order_id, user_id, payment_token, amount, currency) = 0))),
  constraint no_more_captured_than_authorised CHECK (((captured + capturing) <= authorised)),
  constraint no_more_refunded_than_captured CHECK (((refunded + refunding) <= captured))
);

create table public.ledger_entry (
  transaction_id text not null,
  account text not null,
  attempt_id text not null,
  order_id text not null,
  debit bigint default 0 not null,
  credit bigint default 0 not null,
  currency text not null,
  posted_at timestamp(3) with time zone default now() not null,
  constraint ledger_entry_account_check CHECK ((account = ANY (ARRAY['provider_clearing'::text, 'sales'::text, 'refunds'::text]))),
  constraint ledger_entry_attempt_id_fkey FOREIGN KEY (attempt_id) REFERENCES public.attempt(id),
  constraint ledger_entry_credit_check CHECK ((credit >= 0)),
  constraint ledger_entry_debit_check CHECK ((debit >= 0)),
  constraint ledger_entry_pkey PRIMARY KEY (transaction_id, account),
  constraint ledger_entry_transaction_id_fkey FOREIGN KEY (transaction_id) REFERENCES public.operation(id),
  constraint one_side CHECK (((debit = 0) <> (credit = 0)))
);

create table public.legal_transition (
  from_state text not null,
  to_state text not null,
  constraint legal_transition_pkey PRIMARY KEY (from_state, to_state)
);

create table public.operation (
  id text not null,
  attempt_id text not null,
  kind text not null,
  refund_id text,
  reason text,
  amount bigint not null,
  state text default 'pending'::text not null,
  refusal text,
  tries integer default 0 not null,
  due_at timestamp(3) with time zone default now() not null,
  is_unknown boolean default false not null,
  created_at timestamp(3) with time zone default now() not null,
  settled_at timestamp(3) with time zone,
  provider_position bigint,
  constraint operation_amount_check CHECK ((amount > 0)),
  constraint operation_attempt_id_fkey FOREIGN KEY (attempt_id) REFERENCES public.attempt(id),
  constraint operation_check CHECK (((refund_id IS NULL) = (kind <> 'refund'::text))),
  constraint operation_kind_check CHECK ((kind = ANY (ARRAY['authorise'::text, 'capture'::text, 'void'::text, 'refund'::text]))),
  constraint operation_pkey PRIMARY KEY (id),
  constraint operation_provider_position_key UNIQUE (provider_position),
  constraint operation_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'done'::text, 'refused'::text]))),
  constraint settled CHECK (((state = 'pending'::text) = (settled_at IS NULL)))
);

create table public.provider_entry (
  "position" bigint not null,
  reference text not null,
  attempt_id text not null,
  kind text not null,
  amount bigint not null,
  currency text not null,
  is_matched boolean default false not null,
  read_at timestamp(3) with time zone default now() not null,
  constraint provider_entry_kind_check CHECK ((kind = ANY (ARRAY['capture'::text, 'refund'::text]))),
  constraint provider_entry_pkey PRIMARY KEY ("position")
);

create table public.reconciliation (
  is_the_one boolean default true not null,
  "position" bigint default 0 not null,
  at timestamp(3) with time zone,
  matched bigint default 0 not null,
  differences_total integer default 0 not null,
  differences jsonb default '[]'::jsonb not null,
  constraint reconciliation_is_the_one_check CHECK (is_the_one),
  constraint reconciliation_pkey PRIMARY KEY (is_the_one)
);

create table public.webhook_event (
  id text not null,
  received_at timestamp(3) with time zone default now() not null,
  constraint webhook_event_pkey PRIMARY KEY (id)
);

CREATE INDEX attempt_order ON public.attempt USING btree (order_id);

CREATE INDEX ledger_entry_attempt ON public.ledger_entry USING btree (attempt_id);

CREATE UNIQUE INDEX one_of_a_kind ON public.operation USING btree (attempt_id, kind) WHERE (kind <> 'refund'::text);

CREATE INDEX operation_attempt ON public.operation USING btree (attempt_id);

CREATE INDEX operation_due ON public.operation USING btree (due_at) WHERE (state = 'pending'::text);

CREATE INDEX operation_unmatched ON public.operation USING btree (id) WHERE ((kind = ANY (ARRAY['capture'::text, 'refund'::text])) AND (state = 'done'::text) AND (provider_position IS NULL));

CREATE INDEX provider_entry_reference ON public.provider_entry USING btree (reference);

CREATE INDEX provider_entry_unmatched ON public.provider_entry USING btree (reference) WHERE (NOT is_matched);

CREATE INDEX webhook_event_received ON public.webhook_event USING btree (received_at);

CREATE OR REPLACE FUNCTION public.keep_to_the_state_machine()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if new.version <> old.version + 1 then
    raise exception 'version % follows %', new.version, old.version using errcode = 'check_violation';
  end if;
  if new.state <> old.state
    and not exists (select from legal_transition where from_state = old.state and to_state = new.state)
  then
    raise exception 'no way from % to %', old.state, new.state using errcode = 'check_violation';
  end if;
  return new;
end
$function$;

CREATE OR REPLACE FUNCTION public.refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  raise exception '% is append-only', tg_table_name using errcode = 'check_violation';
end
$function$;

CREATE OR REPLACE FUNCTION public.refuse_imbalance()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if exists (select from ledger_entry where transaction_id = new.transaction_id
    group by transaction_id having sum(debit) <> sum(credit) or count(distinct currency) > 1)
  then
    raise exception 'transaction % does not balance', new.transaction_id using errcode = 'check_violation';
  end if;
  return null;
end
$function$;

CREATE TRIGGER legal_history BEFORE UPDATE ON public.attempt FOR EACH ROW EXECUTE FUNCTION public.keep_to_the_state_machine();

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.ledger_entry FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON public.ledger_entry DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.refuse_imbalance();
