-- Mails as they arrived. One that comes again, which is told by its Message-ID, is counted and not kept twice.
create table message (
  -- Without the angle brackets.
  message_id text collate "C" primary key,
  receipts integer not null default 1 check (receipts >= 1),
  sender text not null,
  recipients text[] not null,
  subject text not null,
  body text not null,
  -- What the shop's mails say about themselves (X-Order-Id, X-Template); null in others.
  order_id text collate "C",
  template text,
  received_at timestamptz(3) not null default now()
);

create index message_newest on message (received_at, message_id);
create index message_of_order on message (order_id);
