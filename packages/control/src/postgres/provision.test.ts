import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { systemClock } from '@flotilla/core/clock'
import { isFlotillaError } from '@flotilla/core/error'
import { findFreePort } from '@flotilla/core/free-port'
import { systemRandom } from '@flotilla/core/random'
import pg from 'pg'
import { openPostgres, type Postgres } from './postgres.ts'
import { provisionDatabase, requireVersion, scramVerifier } from './provision.ts'

async function ask(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

/** The same login, another database. */
function at(url: string, database: string): string {
  return url.replace(/\/[^/]+$/, `/${database}`)
}

const sqlState = (code: string) => (error: unknown) =>
  error instanceof pg.DatabaseError && error.code === code

describe('requireVersion', () => {
  const url = process.env['FLOTILLA_TEST_DATABASE_URL'] ?? ''

  it('takes a server that is new enough, and refuses an older one in one line', async () => {
    await requireVersion(url)
    await assert.rejects(
      requireVersion(url, 99),
      (error) =>
        isFlotillaError(error) &&
        error.code === 'failed_precondition' &&
        /^The server that DATABASE_URL names is PostgreSQL \d+\.\d+[^\n]*; at least 99 is needed\. [^\n]*$/.test(
          error.message,
        ),
    )
  })

  it('says that nobody answers, and at which address', async () => {
    const port = await findFreePort()
    await assert.rejects(
      requireVersion(`postgres://a:b@localhost:${port}/c`),
      (error) => isFlotillaError(error) && error.code === 'unavailable' && error.message.includes(`:${port}`),
    )
  })
})

describe('provisionDatabase', () => {
  let server: Postgres
  let dataDir: string
  const provision = (name: string, password = `password of ${name}`, extensions: readonly string[] = []) =>
    provisionDatabase(server.adminUrl, {
      database: name,
      role: name,
      password,
      extensions,
      random: systemRandom,
    })

  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'flotilla-provision-'))
    const ports = { clock: systemClock, random: systemRandom }
    server = await openPostgres({ dataDir, port: await findFreePort(), ports })
  })
  after(async () => {
    await server.close()
    await rm(dataDir, { recursive: true })
  })

  it('makes a database that its role owns', async () => {
    const url = await provision('cart')
    await ask(url, 'create table t (id int)')
    const who = await ask(url, 'select current_user as role, current_database() as database')
    assert.deepEqual(who, [{ role: 'cart', database: 'cart' }])
    const [rights] = await ask(
      url,
      `select rolsuper, rolcreatedb, rolcreaterole, rolbypassrls, rolreplication from pg_roles where rolname = 'cart'`,
    )
    assert.deepEqual(Object.values(rights ?? {}), [false, false, false, false, false])
    const [locale] = await ask(url, `select datlocale as locale from pg_database where datname = 'cart'`)
    assert.deepEqual(locale, { locale: 'C.UTF-8' })
  })

  it('keeps every role out of every database but its own', async () => {
    const [orders, payments] = [await provision('orders'), await provision('payments')]
    for (const database of ['payments', 'postgres', 'template1']) {
      await assert.rejects(ask(at(orders, database), 'select 1'), sqlState('42501'))
    }
    await assert.rejects(ask(at(payments, 'orders'), 'select 1'), sqlState('42501'))
    await assert.rejects(ask(orders, 'create database mine'), sqlState('42501'))
    await assert.rejects(ask(orders, 'create role friend'), sqlState('42501'))
    await assert.rejects(ask(orders, `alter role payments password 'x'`), sqlState('42501'))
    await assert.rejects(ask(orders, `copy (select 1) to program 'true'`), sqlState('42501'))
  })

  it('may be repeated: keeps the data, sets password and rights anew', async () => {
    const before = await provision('stock', 'old')
    await ask(before, 'create table t as select 1 as id')
    await ask(server.adminUrl, 'alter role stock superuser; grant connect on database stock to public')
    const now = await provision('stock', 'new: with / and @')
    assert.deepEqual(await ask(now, 'select id from t'), [{ id: 1 }])
    await assert.rejects(ask(before, 'select 1'), sqlState('28P01'))
    const [rights] = await ask(now, `select rolsuper from pg_roles where rolname = 'stock'`)
    assert.deepEqual(rights, { rolsuper: false })
    const cart = await provision('cart')
    await assert.rejects(ask(at(cart, 'stock'), 'select 1'), sqlState('42501'))
  })

  it('creates the extensions a service asks for', async () => {
    const url = await provision('search', 'p', ['pg_trgm'])
    assert.deepEqual(await ask(url, `select similarity('flotilla', 'flotila') > 0.5 as close`), [
      { close: true },
    ])
    await provision('search', 'p', ['pg_trgm', 'unaccent'])
  })

  it('keeps what services do wrong out of the server log, which would quote it', async () => {
    const url = await provision('careless')
    await assert.rejects(ask(url, `select 's3cret'::int`), sqlState('22P02'))
    assert.doesNotMatch(await readFile(join(dataDir, 'postgres.log'), 'utf8'), /s3cret/)
  })

  it('may run several times at once', async () => {
    const urls = await Promise.all(['a', 'a', 'b', 'b', 'a'].map((name) => provision(name)))
    for (const url of urls) assert.equal((await ask(url, 'select 1')).length, 1)
  })

  it('needs no superuser', async () => {
    await ask(server.adminUrl, `create role admin login createdb createrole password 'p'`)
    await ask(server.adminUrl, 'create database admin owner admin')
    const adminUrl = at(server.adminUrl, 'admin').replace(/\/postgres:[^@]+@/, '/admin:p@')
    const options = { database: 'managed', role: 'managed', password: 'p', random: systemRandom }
    const url = await provisionDatabase(adminUrl, options)
    await ask(url, 'create table t ()')
  })

  it('says what is wrong', async () => {
    await assert.rejects(
      provision('no; drop'),
      (error) => isFlotillaError(error) && error.code === 'invalid_argument',
    )
    const refused = provision('x', 'p', ['no_such_extension'])
    await assert.rejects(
      refused,
      (error) => isFlotillaError(error) && /no_such_extension/.test(error.message),
    )
    const nowhere = provisionDatabase('postgres://postgres:p@127.0.0.1:1/postgres', {
      database: 'x',
      role: 'x',
      password: 'p',
      random: systemRandom,
    })
    await assert.rejects(nowhere, (error) => isFlotillaError(error) && error.code === 'unavailable')
  })
})

describe('scramVerifier', () => {
  it('gives what PostgreSQL stores', () => {
    // RFC 7677, section 3: user "user", password "pencil".
    const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64')
    assert.equal(
      scramVerifier('pencil', salt),
      'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=',
    )
  })
})
