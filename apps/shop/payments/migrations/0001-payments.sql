-- The state machine as rows: `attempt.ts` has it in words, and a test compares the two.
create table legal_transition (
  from_state text not null,
  to_state text not null,
  primary key (from_state, to_state)
);
insert into legal_transition values
  ('authorising', 'authorised'), ('authorising', 'declined'), ('authorising', 'voiding'),
  ('authorised', 'capturing'), ('authorised', 'voiding'),
  ('capturing', 'captured'), ('capturing', 'authorised'),
  ('captured', 'refunding'),
  ('refunding', 'partially_refunded'), ('refunding', 'refunded'), ('refunding', 'captured'),
  ('partially_refunded', 'refunding'),
  ('voiding', 'voided'), ('voiding', 'authorised');

-- One try to be paid. What must never be is refused here, whatever the program does.
create table attempt (
  id text primary key,
  state text not null check (state in ('authorising', 'authorised', 'declined', 'capturing', 'captured', 'refunding',
    'partially_refunded', 'refunded', 'voiding', 'voided')),
  -- These are null for an attempt that was voided before it was made.
  order_id text,
  user_id text,
  payment_token text check (payment_token ~ '^tok_[A-Za-z0-9_-]{1,60}$'),
  amount bigint check (amount > 0),
  currency text check (currency ~ '^[A-Z]{3}$'),
  -- Let go as soon as it is known to be held.
  is_void_wanted boolean not null default false,
  charge_id text,
  decline_code text,
  brand text,
  last4 text check (last4 ~ '^[0-9]{4}$'),
  expiry text check (expiry ~ '^[0-9]{4}-[0-9]{2}$'),
  authorised bigint not null default 0 check (authorised >= 0),
  capturing bigint not null default 0 check (capturing >= 0),
  captured bigint not null default 0 check (captured >= 0),
  refunding bigint not null default 0 check (refunding >= 0),
  refunded bigint not null default 0 check (refunded >= 0),
  version bigint not null default 1,
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now(),
  constraint no_more_captured_than_authorised check (captured + capturing <= authorised),
  constraint no_more_refunded_than_captured check (refunded + refunding <= captured),
  constraint made_or_voided check (state = 'voided' or num_nulls(order_id, user_id, payment_token, amount, currency) = 0)
);
create index attempt_order on attempt (order_id);

create function keep_to_the_state_machine() returns trigger language plpgsql as $$
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
$$;
create trigger legal_history before update on attempt
  for each row execute function keep_to_the_state_machine();

-- What is asked of the provider: written before it is asked, under the name by which the provider knows a repeat.
create table operation (
  id text primary key,
  attempt_id text not null references attempt,
  kind text not null check (kind in ('authorise', 'capture', 'void', 'refund')),
  -- Of a refund alone.
  refund_id text check ((refund_id is null) = (kind <> 'refund')),
  reason text,
  amount bigint not null check (amount > 0),
  state text not null default 'pending' check (state in ('pending', 'done', 'refused')),
  refusal text,
  -- How often it was claimed; also the token by which who claimed it last is told from those before.
  tries integer not null default 0,
  -- When the next one may try: the end of a claim, or of a wait.
  due_at timestamptz(3) not null default now(),
  is_unknown boolean not null default false,
  created_at timestamptz(3) not null default now(),
  settled_at timestamptz(3),
  -- Where it stands in the provider's ledger, once both were compared.
  provider_position bigint unique,
  constraint settled check ((state = 'pending') = (settled_at is null))
);
create index operation_attempt on operation (attempt_id);
create index operation_due on operation (due_at) where state = 'pending';
create index operation_unmatched on operation (id)
  where kind in ('capture', 'refund') and state = 'done' and provider_position is null;
create unique index one_of_a_kind on operation (attempt_id, kind) where kind <> 'refund';

-- Double-entry bookkeeping: every transaction is one capture or refund, named as the operation.
create table ledger_entry (
  transaction_id text not null references operation,
  account text not null check (account in ('provider_clearing', 'sales', 'refunds')),
  attempt_id text not null references attempt,
  order_id text not null,
  debit bigint not null default 0 check (debit >= 0),
  credit bigint not null default 0 check (credit >= 0),
  currency text not null,
  posted_at timestamptz(3) not null default now(),
  primary key (transaction_id, account),
  constraint one_side check ((debit = 0) <> (credit = 0))
);
create index ledger_entry_attempt on ledger_entry (attempt_id);

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only', tg_table_name using errcode = 'check_violation';
end
$$;
create trigger append_only before update or delete or truncate on ledger_entry
  for each statement execute function refuse_change();

create function refuse_imbalance() returns trigger language plpgsql as $$
begin
  if exists (select from ledger_entry where transaction_id = new.transaction_id
    group by transaction_id having sum(debit) <> sum(credit) or count(distinct currency) > 1)
  then
    raise exception 'transaction % does not balance', new.transaction_id using errcode = 'check_violation';
  end if;
  return null;
end
$$;
create constraint trigger balanced after insert on ledger_entry
  deferrable initially deferred for each row execute function refuse_imbalance();

-- Webhooks that were handled.
create table webhook_event (
  id text primary key,
  received_at timestamptz(3) not null default now()
);
create index webhook_event_received on webhook_event (received_at);

-- The provider's ledger as far as it was read: captures and refunds.
create table provider_entry (
  position bigint primary key,
  reference text not null,
  attempt_id text not null,
  kind text not null check (kind in ('capture', 'refund')),
  amount bigint not null,
  currency text not null,
  -- Found in our books.
  is_matched boolean not null default false,
  read_at timestamptz(3) not null default now()
);
create index provider_entry_unmatched on provider_entry (reference) where not is_matched;
create index provider_entry_reference on provider_entry (reference);

-- One row: how far the provider's ledger was read, and what the last comparison found.
create table reconciliation (
  is_the_one boolean primary key default true check (is_the_one),
  position bigint not null default 0,
  at timestamptz(3),
  matched bigint not null default 0,
  differences_total integer not null default 0,
  differences jsonb not null default '[]'
);
insert into reconciliation default values;
