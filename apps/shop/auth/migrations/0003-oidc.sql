-- Who came by an identity provider has no password.
alter table account alter column password_hash drop not null;

-- Who somebody is at an identity provider. Nothing but these two names it: addresses change hands.
create table identity (
  issuer text not null,
  subject text not null,
  account_id text not null references account on delete cascade,
  created_at timestamptz(3) not null default now(),
  primary key (issuer, subject)
);

create index identity_account_id on identity (account_id);

-- Logins at identity providers that came back: each does once.
create table finished_login (
  -- SHA-256 of the state.
  state_hash bytea primary key check (octet_length(state_hash) = 32),
  finished_at timestamptz(3) not null default now()
);

-- For pruning.
create index finished_login_finished_at on finished_login (finished_at);
