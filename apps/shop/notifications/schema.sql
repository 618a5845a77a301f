create table public.mail (
  id text not null,
  order_id text not null,
  template text not null,
  about text not null,
  user_id text not null,
  recipient text not null,
  subject text not null,
  body text not null,
  status text default 'pending'::text not null,
  attempts integer default 0 not null,
  claims integer default 0 not null,
  due_at timestamp(3) with time zone default now() not null,
  created_at timestamp(3) with time zone default now() not null,
  sent_at timestamp(3) with time zone,
  last_error text,
  constraint mail_once UNIQUE (order_id, template, about),
  constraint mail_pkey PRIMARY KEY (id),
  constraint mail_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'sent'::text, 'dead'::text]))),
  constraint sent_has_time CHECK (((status = 'sent'::text) = (sent_at IS NOT NULL)))
);

CREATE INDEX mail_dead ON public.mail USING btree (created_at) WHERE (status = 'dead'::text);

CREATE INDEX mail_due ON public.mail USING btree (due_at) WHERE (status = 'pending'::text);

CREATE INDEX mail_of_user ON public.mail USING btree (user_id, created_at, id);
