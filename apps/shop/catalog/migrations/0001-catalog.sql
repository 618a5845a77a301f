create table category (
  slug text collate "C" primary key,
  name text not null,
  description text not null,
  -- Place in menus, from 1.
  position integer not null unique
);

create table product (
  -- Opaque: whatever a path says is looked up as it is.
  id text collate "C" primary key,
  -- Stays taken when the product is deleted: old orders keep its meaning.
  sku text collate "C" not null unique,
  name text not null,
  -- What lists are sorted by: code points, capitals or not.
  name_key text collate "C" not null generated always as (lower(name)) stored,
  description text not null,
  category text collate "C" not null references category,
  -- Minor units.
  price integer not null check (price >= 0),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  attributes jsonb not null,
  is_published boolean not null,
  -- The reviews, summed up in the transaction that adds one.
  rating_sum integer not null default 0,
  rating_count integer not null default 0 check (rating_count >= 0),
  -- Mean stars; 0 while there are no reviews, so that lists can be paged by it.
  rating double precision not null generated always as
    (case when rating_count = 0 then 0 else round(rating_sum::numeric / rating_count, 2)::double precision end) stored,
  version integer not null default 1 check (version >= 1),
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  -- Set: a tombstone, which nobody sees any more.
  deleted_at timestamptz(3)
);

-- One for each sort of the list of products; each is read from either end.
create index product_newest on product (created_at, id) where is_published and deleted_at is null;
create index product_price on product (price, id) where is_published and deleted_at is null;
create index product_name on product (name_key, id) where is_published and deleted_at is null;
create index product_rating on product (rating, id) where is_published and deleted_at is null;
-- For the counts of the categories, and lists of small ones.
create index product_category on product (category) where is_published and deleted_at is null;

create table review (
  id text collate "C" primary key,
  product_id text collate "C" not null references product,
  user_id text collate "C" not null,
  author text not null,
  stars smallint not null check (stars between 1 and 5),
  title text not null,
  body text not null,
  created_at timestamptz(3) not null,
  -- Once per user and product.
  constraint review_once unique (product_id, user_id)
);

create index review_newest on review (product_id, created_at, id);

-- Products that the search has yet to be told of. Written in the transaction of the change; taken away when the
-- search has taken the change over, unless another change came meanwhile.
create table search_change (
  product_id text collate "C" primary key references product,
  version integer not null
);
