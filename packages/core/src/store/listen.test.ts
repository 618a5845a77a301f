import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openTcpProxy, type ProxyLink } from '../testing/tcp-proxy.ts'
import { openTestDatabase } from '../testing/test-database.ts'
import { until } from '../testing/until.ts'

const listening = `select pid from pg_stat_activity where query = 'listen "news"'`

describe('Database.listen', () => {
  it('tells of notifications on its channel, and once at the beginning', async (t) => {
    const { open, ask } = await openTestDatabase(t)
    const told: (string | undefined)[] = []
    open().listen('news', (payload) => told.push(payload))
    await until('it listens', () => told.length === 1)
    await ask(`select pg_notify('other', 'x'), pg_notify('news', 'a'), pg_notify('news', '')`)
    await until('all were told', () => told.length === 3)
    assert.deepEqual(told, [undefined, 'a', ''])
  })

  it('listens again when its connection breaks, and says that something may have been missed', async (t) => {
    const { open, ask } = await openTestDatabase(t)
    const told: (string | undefined)[] = []
    const lines: string[] = []
    const note = (message: string): number => lines.push(message)
    open({ log: { info: note, warn: note } }).listen('news', (payload) => told.push(payload))
    for (let round = 1; round <= 3; round++) {
      await until('it listens', () => told.length === round)
      await ask(`select pg_terminate_backend(pid) from (${listening}) who`)
    }
    await until('it listens again', () => told.length === 4)
    await ask(`notify news, 'b'`)
    await until('it was told', () => told.length === 5)
    assert.deepEqual(told, [undefined, undefined, undefined, undefined, 'b'])
    // Each was opened at the first attempt.
    assert.deepEqual(lines, [])
  })

  it('goes on trying while the server is not there', async (t) => {
    const { open, url } = await openTestDatabase(t)
    let isDown = false
    const links = new Set<ProxyLink>()
    const breakOff = ({ client, server }: ProxyLink): void => {
      client.resetAndDestroy()
      server.destroy()
    }
    const through = await openTcpProxy(t, url, {
      onClientData: (chunk, link) => {
        links.add(link)
        if (isDown) breakOff(link)
        else link.server.write(chunk)
      },
    })
    const lines: string[] = []
    const note = (message: string): number => lines.push(message)
    let told = 0
    const database = open({ url: through, log: { info: note, warn: note } })
    database.listen('news', () => told++)
    await until('it listens', () => told === 1)
    isDown = true
    for (const link of links) breakOff(link)
    await until('it was refused', () => lines.length === 1)
    isDown = false
    await until('it listens again', () => told === 2)
    assert.deepEqual(lines, ['cannot listen to the database', 'listening to the database again'])
  })

  it('ends with what it gave, and with the database', async (t) => {
    const { open, ask } = await openTestDatabase(t)
    const database = open()
    let told = 0
    const count = (): void => {
      told++
    }
    const first = database.listen('news', count)
    database.listen('news', count)
    await until('both listen', () => told === 2)
    await first.close()
    await until('one is left', async () => (await ask(listening)).length === 1)
    await database.close()
    await until('none is left', async () => (await ask(listening)).length === 0)
    await ask('notify news')
    assert.equal(told, 2)
  })
})
