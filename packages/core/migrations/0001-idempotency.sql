-- One row for each command a caller named by an Idempotency-Key. It is inserted before the work begins and completed in
-- the transaction of its effect, so that a repeated command finds either the answer or a lease that has run out.
create table flotilla.idempotency (
  -- Principal and operation: keys of different callers never meet.
  scope text not null check (octet_length(scope) between 1 and 512),
  key text not null check (char_length(key) between 1 and 255),
  -- SHA-256 of the request: the same key with another request is refused.
  fingerprint bytea not null check (octet_length(fingerprint) = 32),
  state text not null default 'running' check (state in ('running', 'done')),
  -- Drawn anew by whoever takes the row; one whose lease was taken over can no longer complete it.
  fencing uuid not null,
  lease_until timestamptz(3) not null,
  -- { "output": … } or { "error": … }. Not jsonb: that would sort the fields, and a repeat would get other bytes.
  response json check ((state = 'done') = (response is not null)),
  created_at timestamptz(3) not null default now(),
  primary key (scope, key)
);

-- For pruning.
create index idempotency_created_at on flotilla.idempotency (created_at);
