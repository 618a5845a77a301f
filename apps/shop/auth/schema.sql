create table public.account (
  id text not null,
  email text not null,
  name text not null,
  password_hash text,
  roles text[] not null,
  tier text not null,
  created_at timestamp(3) with time zone not null,
  blocked_at timestamp(3) with time zone,
  constraint account_email_check CHECK ((email = lower(email))),
  constraint account_email_key UNIQUE (email),
  constraint account_pkey PRIMARY KEY (id)
);

create table public.api_key (
  id text not null,
  account_id text not null,
  name text not null,
  prefix text not null,
  key_hash bytea not null,
  scopes text[] not null,
  created_at timestamp(3) with time zone not null,
  expires_at timestamp(3) with time zone not null,
  constraint api_key_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.account(id) ON DELETE CASCADE,
  constraint api_key_hash_key UNIQUE (key_hash),
  constraint api_key_key_hash_check CHECK ((octet_length(key_hash) = 32)),
  constraint api_key_pkey PRIMARY KEY (id),
  constraint api_key_scopes_check CHECK ((cardinality(scopes) > 0))
);

create table public.ended_session (
  "position" bigint not null,
  family_hash bytea not null,
  ended_at timestamp(3) with time zone default now() not null,
  constraint ended_session_family_hash_check CHECK ((octet_length(family_hash) = 32)),
  constraint ended_session_pkey PRIMARY KEY ("position"),
  constraint ended_session_position_check CHECK (("position" > 0))
);

create table public.ended_session_head (
  is_the_one boolean default true not null,
  "position" bigint not null,
  constraint ended_session_head_is_the_one_check CHECK (is_the_one),
  constraint ended_session_head_pkey PRIMARY KEY (is_the_one),
  constraint ended_session_head_position_check CHECK (("position" >= 0))
);

create table public.finished_login (
  state_hash bytea not null,
  finished_at timestamp(3) with time zone default now() not null,
  constraint finished_login_pkey PRIMARY KEY (state_hash),
  constraint finished_login_state_hash_check CHECK ((octet_length(state_hash) = 32))
);

create table public.identity (
  issuer text not null,
  subject text not null,
  account_id text not null,
  created_at timestamp(3) with time zone default now() not null,
  constraint identity_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.account(id) ON DELETE CASCADE,
  constraint identity_pkey PRIMARY KEY (issuer, subject)
);

create table public.login_failure (
  email_hash bytea not null,
  failures integer not null,
  failed_at timestamp(3) with time zone not null,
  constraint login_failure_email_hash_check CHECK ((octet_length(email_hash) = 32)),
  constraint login_failure_failures_check CHECK ((failures > 0)),
  constraint login_failure_pkey PRIMARY KEY (email_hash)
);

create table public.session (
  family_hash bytea not null,
  token_hash bytea not null,
  account_id text not null,
  expires_at timestamp(3) with time zone not null,
  ends_at timestamp(3) with time zone not null,
  key_thumbprint text,
  constraint session_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.account(id) ON DELETE CASCADE,
  constraint session_check CHECK ((expires_at <= ends_at)),
  constraint session_family_hash_check CHECK ((octet_length(family_hash) = 32)),
  constraint session_key_thumbprint_check CHECK ((length(key_thumbprint) = 43)),
  constraint session_pkey PRIMARY KEY (family_hash),
  constraint session_token_hash_check CHECK ((octet_length(token_hash) = 32))
);

create table public.signing_key (
  kid text not null,
  ordinal integer not null,
  public_key jsonb not null,
  sealed_private_key bytea not null,
  signs_from timestamp(3) with time zone not null,
  signs_until timestamp(3) with time zone not null,
  published_until timestamp(3) with time zone not null,
  constraint signing_key_check CHECK (((signs_from < signs_until) AND (signs_until < published_until))),
  constraint signing_key_ordinal_check CHECK ((ordinal > 0)),
  constraint signing_key_ordinal_key UNIQUE (ordinal),
  constraint signing_key_pkey PRIMARY KEY (kid)
);

CREATE INDEX api_key_account_id ON public.api_key USING btree (account_id, created_at);

CREATE INDEX api_key_expires_at ON public.api_key USING btree (expires_at);

CREATE INDEX ended_session_ended_at ON public.ended_session USING btree (ended_at);

CREATE INDEX finished_login_finished_at ON public.finished_login USING btree (finished_at);

CREATE INDEX identity_account_id ON public.identity USING btree (account_id);

CREATE INDEX login_failure_failed_at ON public.login_failure USING btree (failed_at);

CREATE INDEX session_account_id ON public.session USING btree (account_id);

CREATE INDEX session_expires_at ON public.session USING btree (expires_at);
