-- Who may log in.
create table account (
  id text primary key,
  -- Lower-cased: an address is one account, however it is typed.
  email text not null constraint account_email_key unique check (email = lower(email)),
  name text not null,
  -- argon2id in PHC form: parameters, salt and hash.
  password_hash text not null,
  roles text[] not null,
  tier text not null,
  created_at timestamptz(3) not null
);

-- One row for each login that is not over: the family of its refresh tokens. A token is 16 bytes that name the family, then
-- 32 bytes of its own; only the newest of a family is worth anything, so only that one is remembered.
create table session (
  -- SHA-256 of the bytes that all tokens of the family have in common.
  family_hash bytea primary key check (octet_length(family_hash) = 32),
  -- SHA-256 of the newest token.
  token_hash bytea not null check (octet_length(token_hash) = 32),
  account_id text not null references account on delete cascade,
  -- When the newest token runs out if nobody uses it; never after ends_at.
  expires_at timestamptz(3) not null,
  -- When the user must log in again, however busy.
  ends_at timestamptz(3) not null,
  check (expires_at <= ends_at)
);

create index session_account_id on session (account_id);
-- For pruning.
create index session_expires_at on session (expires_at);

create table api_key (
  id text primary key,
  account_id text not null references account on delete cascade,
  name text not null,
  -- How the key begins; shown, so that a leaked one can be told apart.
  prefix text not null,
  -- SHA-256 of the key. It has 256 random bits, so nothing slower is needed.
  key_hash bytea not null constraint api_key_hash_key unique check (octet_length(key_hash) = 32),
  scopes text[] not null check (cardinality(scopes) > 0),
  created_at timestamptz(3) not null,
  expires_at timestamptz(3) not null
);

create index api_key_account_id on api_key (account_id, created_at);
-- For pruning.
create index api_key_expires_at on api_key (expires_at);

-- Failed logins in a row, by address: of accounts and of addresses that have none alike, so that nothing here tells them apart.
create table login_failure (
  -- SHA-256 of the lower-cased address: people type passwords into the wrong field.
  email_hash bytea primary key check (octet_length(email_hash) = 32),
  failures integer not null check (failures > 0),
  failed_at timestamptz(3) not null
);

-- For pruning.
create index login_failure_failed_at on login_failure (failed_at);

-- Keys that access tokens are signed with.
create table signing_key (
  -- The key's thumbprint (RFC 7638).
  kid text primary key,
  -- Counts up by one. Unique: of several instances that make the next key at the same time, one does.
  ordinal integer not null constraint signing_key_ordinal_key unique check (ordinal > 0),
  -- As JWK.
  public_key jsonb not null,
  -- The private part, as JWK: nonce, tag and ciphertext of AES-256-GCM.
  sealed_private_key bytea not null,
  signs_from timestamptz(3) not null,
  signs_until timestamptz(3) not null,
  -- Until then it can be checked with; then nothing it signed is valid any more.
  published_until timestamptz(3) not null,
  check (signs_from < signs_until and signs_until < published_until)
);
