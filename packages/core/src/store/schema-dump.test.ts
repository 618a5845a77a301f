import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { testCall } from '../testing/test-call.ts'
import { openTestDatabase } from '../testing/test-database.ts'
import { migrate } from './migrate.ts'
import { platformMigrations } from './migration-files.ts'
import { dumpSchema } from './schema-dump.ts'

async function dumpOf(t: TestContext, statements: readonly string[], schemas = ['public']): Promise<string> {
  const test = await openTestDatabase(t)
  for (const statement of statements) await test.ask(statement)
  return dumpSchema(test.open().session(testCall()), schemas)
}

const STATEMENTS = [
  `create extension pg_trgm`,
  `create type color as enum ('red', 'blue')`,
  `create domain cents as bigint default 0 not null check (value >= 0)`,
  `create sequence numbers as integer start 5 increment 2`,
  `create table product (
     id bigint generated always as identity primary key,
     sku text not null unique,
     name varchar(40) default 'none',
     price cents,
     shades color[],
     gross numeric(10, 2) generated always as (1.5) stored,
     "from" timestamptz(3) not null default now(),
     constraint priced check (price > 0 or name is null))`,
  `create table line (product_id bigint references product on delete cascade, at date not null) partition by range (at)`,
  `create table line_2026 partition of line for values from ('2026-01-01') to ('2027-01-01')`,
  `create index product_name on product using gin (name gin_trgm_ops)`,
  `create unique index product_cheap on product (price desc) where price < 5`,
  `create view cheap as select id from product where price < 5`,
  `create function touch() returns trigger language plpgsql as $$ begin return new; end $$`,
  `create trigger touch before update on product for each row execute function touch()`,
]

describe('dumpSchema', () => {
  it('tells everything of a schema', async (t) => {
    assert.equal(
      await dumpOf(t, STATEMENTS),
      `create extension pg_trgm schema public;

create type public.color as enum ('red', 'blue');

create domain public.cents as bigint default 0 not null CHECK ((VALUE >= 0));

create sequence public.numbers as integer start 5 increment 2;

create table public.line (
  product_id bigint,
  at date not null,
  constraint line_product_id_fkey FOREIGN KEY (product_id) REFERENCES public.product(id) ON DELETE CASCADE
) partition by RANGE (at);

create table public.line_2026 (
  product_id bigint,
  at date not null,
  constraint line_product_id_fkey FOREIGN KEY (product_id) REFERENCES public.product(id) ON DELETE CASCADE
) partition of public.line FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');

create table public.product (
  id bigint generated always as identity not null,
  sku text not null,
  name character varying(40) default 'none'::character varying,
  price public.cents,
  shades public.color[],
  gross numeric(10,2) generated always as (1.5) stored,
  "from" timestamp(3) with time zone default now() not null,
  constraint priced CHECK ((((price)::bigint > 0) OR (name IS NULL))),
  constraint product_pkey PRIMARY KEY (id),
  constraint product_sku_key UNIQUE (sku)
);

create view public.cheap as
 SELECT id
   FROM public.product
  WHERE ((price)::bigint < 5);

CREATE UNIQUE INDEX product_cheap ON public.product USING btree (price DESC) WHERE ((price)::bigint < 5);

CREATE INDEX product_name ON public.product USING gin (name public.gin_trgm_ops);

CREATE OR REPLACE FUNCTION public.touch()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin return new; end $function$;

CREATE TRIGGER touch BEFORE UPDATE ON public.product FOR EACH ROW EXECUTE FUNCTION public.touch();
`,
    )
  })

  it('gives the same text for the same schema, however it came about', async (t) => {
    const whole = await dumpOf(t, [
      'create table b (x int not null, y text)',
      'create table a ()',
      'create index on b (y)',
      'create index on b (x)',
    ])
    const grown = await dumpOf(t, [
      'create table a ()',
      'create table b (x int)',
      'create index on b (x)',
      'alter table b add z int',
      'alter table b add y text',
      'alter table b drop z',
      'alter table b alter x set not null',
      'create index on b (y)',
    ])
    assert.equal(whole, grown)
  })

  it('tells schemas apart, and the platform its own', async (t) => {
    const test = await openTestDatabase(t)
    await migrate(test.url, [platformMigrations])
    const session = test.open().session(testCall())
    assert.equal(await dumpSchema(session, ['public']), '')
    assert.match(
      await dumpSchema(session, ['flotilla']),
      /create table flotilla\.idempotency \(\n {2}scope text not null,/,
    )
  })
})
