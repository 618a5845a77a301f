-- English text: accents do not count ("creme" finds "crème"), nor do endings and common words.
create text search configuration shop_text (copy = english);
alter text search configuration shop_text
  alter mapping for word, hword, hword_part with unaccent, english_stem;

-- The words themselves, lower case and without accents, to correct mistyped ones by.
create text search dictionary shop_word (template = simple, stopwords = english);
create text search configuration shop_words (copy = simple);
alter text search configuration shop_words
  alter mapping for asciiword, asciihword, hword_asciipart with shop_word;
alter text search configuration shop_words
  alter mapping for word, hword, hword_part with unaccent, shop_word;
-- Nobody means a word of another kind when mistyping one.
alter text search configuration shop_words
  drop mapping if exists for email, url, url_path, host, file, sfloat, float, int, uint, version, numword, numhword, hword_numpart;

create table entry (
  -- A product's.
  id text collate "C" primary key,
  -- The newest known, also of what was removed: something older that comes late changes nothing.
  version integer not null,
  -- What the catalog told; null: removed.
  content jsonb,
  category text collate "C" generated always as (content ->> 'category') stored,
  -- PostgreSQL takes what follows a '<' for markup; to us it is text.
  document tsvector generated always as (
    setweight(to_tsvector('shop_text', translate(content ->> 'name', '<', ' ')), 'A')
    || setweight(to_tsvector('shop_text', content ->> 'sku'), 'A')
    || setweight(to_tsvector('shop_text', content ->> 'category'), 'B')
    || setweight(jsonb_to_tsvector('shop_text', content -> 'attributes', '["string", "numeric"]'), 'B')
    || setweight(to_tsvector('shop_text', translate(content ->> 'description', '<', ' ')), 'C')) stored,
  words text[] generated always as (tsvector_to_array(
    to_tsvector('shop_words', translate(content ->> 'name', '<', ' '))
    || to_tsvector('shop_words', content ->> 'category')
    || jsonb_to_tsvector('shop_words', content -> 'attributes', '["string"]')
    || to_tsvector('shop_words', translate(content ->> 'description', '<', ' ')))) stored
);

create index entry_document on entry using gin (document);

-- Every word of the entries, and how many have it.
create table word (
  text text collate "C" primary key,
  entries integer not null
);

-- Finds the most similar ones, the most similar first.
create index word_similar on word using gist (text gist_trgm_ops);
