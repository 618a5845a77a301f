create extension fuzzystrmatch schema public;

create extension pg_trgm schema public;

create extension unaccent schema public;

create table public.entry (
  id text not null,
  version integer not null,
  content jsonb,
  category text generated always as ((content ->> 'category'::text)) stored,
  document tsvector generated always as (((((setweight(to_tsvector('public.shop_text'::regconfig, translate((content ->> 'name'::text), '<'::text, ' '::text)), 'A'::"char") || setweight(to_tsvector('public.shop_text'::regconfig, (content ->> 'sku'::text)), 'A'::"char")) || setweight(to_tsvector('public.shop_text'::regconfig, (content ->> 'category'::text)), 'B'::"char")) || setweight(jsonb_to_tsvector('public.shop_text'::regconfig, (content -> 'attributes'::text), '["string", "numeric"]'::jsonb), 'B'::"char")) || setweight(to_tsvector('public.shop_text'::regconfig, translate((content ->> 'description'::text), '<'::text, ' '::text)), 'C'::"char"))) stored,
  words text[] generated always as (tsvector_to_array((((to_tsvector('public.shop_words'::regconfig, translate((content ->> 'name'::text), '<'::text, ' '::text)) || to_tsvector('public.shop_words'::regconfig, (content ->> 'category'::text))) || jsonb_to_tsvector('public.shop_words'::regconfig, (content -> 'attributes'::text), '["string"]'::jsonb)) || to_tsvector('public.shop_words'::regconfig, translate((content ->> 'description'::text), '<'::text, ' '::text))))) stored,
  constraint entry_pkey PRIMARY KEY (id)
);

create table public.word (
  text text not null,
  entries integer not null,
  constraint word_pkey PRIMARY KEY (text)
);

CREATE INDEX entry_document ON public.entry USING gin (document);

CREATE INDEX word_similar ON public.word USING gist (text public.gist_trgm_ops);
