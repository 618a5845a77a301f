import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { systemClock } from '@flotilla/core/clock'
import { Closing } from '@flotilla/core/closing'
import { isFlotillaError } from '@flotilla/core/error'
import { createHttpClient } from '@flotilla/core/http-client'
import { createLogger } from '@flotilla/core/log'
import { Metrics } from '@flotilla/core/metrics'
import { makeDataFolder } from '../testing/test-data-folder.ts'
import { watchedSystem } from '../testing/watched-system.ts'
import { openStore, startWatch } from './open-watch.ts'

describe('startWatch', () => {
  it('brings the lines of processes into the store, not what `up` told its user', async (t) => {
    const folder = makeDataFolder(t)
    const log = createLogger({ level: 'silent', clock: systemClock, fields: {} })
    const open = async (closing: Closing) => {
      const store = await openStore({ folder, clock: systemClock, log, closing })
      assert.ok(!isFlotillaError(store))
      return store
    }
    const closing = new Closing(systemClock)
    const store = await open(closing)
    const system = { ...watchedSystem(store), fleet: { processes: [] } }
    const lookers = new Closing(systemClock)
    const http = createHttpClient(systemClock)
    const watch = { folder, clock: systemClock, log, closing, lookers }
    await startWatch(store, system, { own: new Metrics(), http }, watch)
    for (const name of ['orders-1', 'up'])
      writeFileSync(join(folder.logs, `${name}.log`), `said by ${name}\n`)
    // Whoever closes reads what is there, once more, also when nobody looks any more.
    await lookers.close()
    await closing.close()
    await http.close()

    const again = new Closing(systemClock)
    const found = await (await open(again)).searchLogs({
      fromMs: systemClock.now() - 60_000,
      toMs: systemClock.now() + 60_000,
      query: 'said',
    })
    await again.close()
    assert.deepEqual(
      found.lines.map(({ message }) => message),
      ['said by orders-1'],
    )
  })
})
