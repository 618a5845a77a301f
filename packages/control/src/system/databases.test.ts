import assert from 'node:assert/strict'
import { existsSync, rmSync } from 'node:fs'
import { describe, it } from 'node:test'
import { systemClock } from '@flotilla/core/clock'
import { Closing } from '@flotilla/core/closing'
import { defineContract } from '@flotilla/core/contract'
import { findFreePort } from '@flotilla/core/free-port'
import { createIds } from '@flotilla/core/ids'
import { createLogger } from '@flotilla/core/log'
import { systemRandom } from '@flotilla/core/random'
import { defineService } from '@flotilla/core/service'
import { until } from '@flotilla/core/until'
import pg from 'pg'
import { makeDataFolder } from '../testing/test-data-folder.ts'
import { Secrets } from './data-folder.ts'
import { embeddedUrls, openDatabases } from './databases.ts'

async function ask(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  // The server is killed on purpose.
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

function serviceWith(name: string, database?: { readonly migrations: string }) {
  const contract = defineContract({ name, version: 1, summary: name, operations: {} })
  return defineService({ contract, ...(database === undefined ? {} : { database }), open: () => ({}) })
}

describe('openDatabases', () => {
  it('gives every service a database only it can use, starts the server again, and leaves none behind', async (t) => {
    const folder = makeDataFolder(t)
    const closing = new Closing(systemClock, 20_000)
    t.after(() => closing.close())
    const migrations = folder.path
    const services = new Map([
      ['cart', serviceWith('cart', { migrations })],
      ['auth-admin', serviceWith('auth-admin', { migrations })],
      ['gateway', serviceWith('gateway')],
    ])
    const secrets = new Secrets(folder, systemRandom)
    const lines: string[] = []
    const options = {
      app: 'test',
      services,
      folder,
      secrets,
      ports: { clock: systemClock, random: systemRandom, newId: createIds(systemClock, systemRandom) },
      postgresPort: await findFreePort(),
      externalUrl: undefined,
      log: createLogger({
        level: 'error',
        clock: systemClock,
        fields: {},
        destination: { write: (text: string) => void lines.push(text) },
      }),
      closing,
      onLost: () => {},
    }
    const databases = await openDatabases(options)
    assert.deepEqual(Object.keys(databases.urls), ['cart', 'auth-admin'])
    assert.deepEqual(embeddedUrls(options), databases.urls)
    const { cart = '', 'auth-admin': auth = '' } = databases.urls
    await ask(cart, 'create table kept as select 1 as id')
    assert.deepEqual(await ask(auth, 'select current_user as "user", current_database() as "database"'), [
      { user: 'test_auth_admin', database: 'test_auth_admin' },
    ])
    await assert.rejects(ask(cart.replace(/test_cart$/, 'test_auth_admin'), 'select 1'), { code: '42501' })

    const first = databases.pid() as number
    process.kill(first, 'SIGKILL')
    await until('another server runs', () => databases.pid() !== first)
    assert.deepEqual(await ask(cart, 'select id from kept'), [{ id: 1 }])

    // It ends again, and the system is closed before the next one runs.
    const ends = lines.length
    process.kill(databases.pid() as number, 'SIGKILL')
    await until('the end is noticed', () => lines.length > ends)
    await closing.close()
    await assert.rejects(ask(cart, 'select 1'), { code: 'ECONNREFUSED' })
  })

  it('tells that the data was removed, and makes no empty one in its place', async (t) => {
    const folder = makeDataFolder(t)
    const closing = new Closing(systemClock, 20_000)
    t.after(() => closing.close())
    const errors: Error[] = []
    const databases = await openDatabases({
      app: 'test',
      services: new Map(),
      folder,
      secrets: new Secrets(folder, systemRandom),
      ports: { clock: systemClock, random: systemRandom, newId: createIds(systemClock, systemRandom) },
      postgresPort: await findFreePort(),
      externalUrl: undefined,
      log: createLogger({ level: 'silent', clock: systemClock, fields: {} }),
      closing,
      onLost: (error) => errors.push(error),
    })
    rmSync(folder.postgres, { recursive: true })
    process.kill(databases.pid() as number, 'SIGKILL')
    await until('it is told', () => errors.length > 0)
    assert.match(errors.join(), /PostgreSQL ended, and its data in .*postgres is gone/)
    await closing.close()
    assert.equal(existsSync(folder.postgres), false)
  })

  it('makes them on the server that DATABASE_URL names, and starts none', async (t) => {
    const folder = makeDataFolder(t)
    const closing = new Closing(systemClock)
    t.after(() => closing.close())
    const adminUrl = process.env['FLOTILLA_TEST_DATABASE_URL'] ?? ''
    const app = `test${systemRandom.uint32()}`
    t.after(async () => {
      await ask(adminUrl, `drop database if exists ${app}_cart with (force)`)
      await ask(adminUrl, `drop role if exists ${app}_cart`)
    })
    const databases = await openDatabases({
      app,
      services: new Map([['cart', serviceWith('cart', { migrations: folder.path })]]),
      folder,
      secrets: new Secrets(folder, systemRandom),
      ports: { clock: systemClock, random: systemRandom, newId: createIds(systemClock, systemRandom) },
      postgresPort: await findFreePort(),
      externalUrl: adminUrl,
      log: createLogger({ level: 'silent', clock: systemClock, fields: {} }),
      closing,
      onLost: () => {},
    })
    assert.equal(databases.description, `external, ${new URL(adminUrl).host}`)
    assert.equal(databases.pid(), undefined)
    assert.equal(existsSync(folder.postgres), false)
    assert.deepEqual(await ask(databases.urls['cart'] ?? '', 'select current_user as "user"'), [
      { user: `${app}_cart` },
    ])
  })
})
