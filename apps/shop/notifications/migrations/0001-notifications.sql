-- A mail to be sent, or sent. Its row is written in the transaction that handles the event it tells of.
create table mail (
  -- Follows from the three below; also the local part of its Message-ID.
  id text collate "C" primary key,
  order_id text collate "C" not null,
  template text not null,
  -- The refund or shipment it tells of; the order itself where there is but one such mail an order.
  about text collate "C" not null,
  user_id text collate "C" not null,
  recipient text not null,
  subject text not null,
  body text not null,
  status text not null default 'pending' check (status in ('pending', 'sent', 'dead')),
  -- Begun, since the mail was noted or revived.
  attempts integer not null default 0,
  -- Begun ever: only the latest claim may say how it ended.
  claims integer not null default 0,
  -- Not to be tried before: the end of a wait after a failure, or of the time its claimer has.
  due_at timestamptz(3) not null default now(),
  created_at timestamptz(3) not null default now(),
  sent_at timestamptz(3),
  last_error text,
  constraint mail_once unique (order_id, template, about),
  constraint sent_has_time check ((status = 'sent') = (sent_at is not null))
);

create index mail_due on mail (due_at) where status = 'pending';
create index mail_of_user on mail (user_id, created_at, id);
create index mail_dead on mail (created_at) where status = 'dead';
