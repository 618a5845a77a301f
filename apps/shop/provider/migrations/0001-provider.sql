-- The books of an outside company: nobody but the provider reads or writes here.

-- Cards that were turned into tokens. The number is gone; what is left may be shown to the card's owner.
create table card (
  token text primary key,
  brand text not null,
  last4 text not null check (last4 ~ '^[0-9]{4}$'),
  expiry text not null check (expiry ~ '^[0-9]{4}-[0-9]{2}$'),
  is_declined boolean not null default false
);

create table charge (
  id text primary key,
  -- The merchant's word for it. Not unique: without idempotency keys a repeat is a second charge.
  reference text not null,
  status text not null check (status in ('authorised', 'declined', 'captured', 'voided')),
  amount bigint not null check (amount > 0),
  currency text not null,
  captured bigint not null default 0 check (captured >= 0),
  refunded bigint not null default 0 check (refunded >= 0),
  brand text not null,
  last4 text not null,
  expiry text not null,
  decline_code text,
  created_at timestamptz(3) not null default now(),
  constraint not_captured_twice check (captured <= amount),
  constraint not_refunded_twice check (refunded <= captured)
);

-- What happened, in the order in which it became visible: writers take a lock on the whole, so a reader who remembers
-- a position misses nothing.
create table ledger (
  position bigint generated always as identity primary key,
  charge_id text not null references charge,
  -- The merchant's word for this one operation.
  reference text not null,
  kind text not null check (kind in ('authorisation', 'decline', 'capture', 'void', 'refund')),
  amount bigint not null check (amount > 0),
  currency text not null,
  created_at timestamptz(3) not null default now()
);
create index ledger_charge on ledger (charge_id);
create index ledger_reference on ledger (reference);

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'the ledger is append-only';
end
$$;
create trigger append_only before update or delete or truncate on ledger
  for each statement execute function refuse_change();

-- The memory of requests that came with an idempotency key: written with the effect, in one transaction.
create table request (
  key text primary key,
  fingerprint bytea not null,
  status integer,
  body jsonb,
  created_at timestamptz(3) not null default now()
);

-- When a reference with an odd test token was first seen.
create table odd_reference (
  reference text primary key,
  -- Queries know nothing of it for a while.
  is_hidden boolean not null default false,
  seen_at timestamptz(3) not null default now()
);

create table webhook (
  id text primary key,
  payload text not null,
  -- Also the lease of whoever sends it now.
  due_at timestamptz(3) not null,
  tries integer not null default 0,
  deliveries_left integer not null default 1 check (deliveries_left >= 0)
);
create index webhook_due on webhook (due_at) where deliveries_left > 0;

-- At most one row: the profile that was put in place at run time.
create table profile (
  is_the_one boolean primary key default true check (is_the_one),
  profile jsonb not null
);
