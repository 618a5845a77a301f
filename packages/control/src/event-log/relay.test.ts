import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock } from '@flotilla/core/clock'
import { Closing } from '@flotilla/core/closing'
import type { EventLog } from '@flotilla/core/event-log'
import { everythingIn } from '@flotilla/core/event-log-fixture'
import { TestConsumers } from '@flotilla/core/test-consumers'
import { until } from '@flotilla/core/until'
import { openLogs } from '../testing/test-logs.ts'
import type { PostgresLog } from './postgres-log.ts'

function test(name: string, body: (consumers: TestConsumers, log: PostgresLog) => Promise<void>): void {
  it(name, async (t) => {
    const closing = new Closing(systemClock, 30_000)
    t.after(() => closing.close())
    const cleaning = { after: (cleanUp: () => Promise<void>) => closing.defer('part', cleanUp) }
    const log = await (await openLogs(cleaning))()
    await body(await TestConsumers.open(cleaning, log), log)
  })
}

/** Something that can be waited for, and the function that ends the waiting. */
function gate(): { readonly isOpen: Promise<void>; open(): void } {
  let open = (): void => {}
  const isOpen = new Promise<void>((resolve) => {
    open = resolve
  })
  return { isOpen, open: () => open() }
}

/** What the log has, as key and number, in its order. */
async function notesIn(log: EventLog): Promise<string[]> {
  return (await everythingIn(log)).map(({ event }) => {
    const { key, number } = event.data as { key: string; number: number }
    return `${key} ${number}`
  })
}

const isSent = (consumers: TestConsumers, count: number): Promise<void> =>
  until(`at most ${count} are left`, async () => {
    const rows = await consumers.test.ask('select from flotilla.outbox')
    return rows.length <= count
  })

describe('the relay', () => {
  test('sends what is committed later than what was published after it', async (consumers, log) => {
    const one = await consumers.start()
    const [slow, begun] = [gate(), gate()]
    const publishing = one.publish('slow', {
      after: () => {
        begun.open()
        return slow.isOpen
      },
    })
    await begun.isOpen
    await one.publish('quick')
    await until('the later one is told', async () => (await consumers.applied()).has('quick'))
    slow.open()
    await publishing
    await consumers.drained()
    assert.deepEqual(await notesIn(log), ['quick 1', 'slow 1'])
  })

  test('sends any amount, in appends of the size that the log takes', async (consumers, log) => {
    const sizes: number[] = []
    const all = gate()
    const measuring: EventLog = {
      head: () => log.head(),
      follow: (options, signal) => log.follow(options, signal),
      async append(source, fencing, events) {
        sizes.push(Buffer.byteLength(JSON.stringify(events.map(({ data }) => data))))
        await all.isOpen
        return log.append(source, fencing, events)
      },
    }
    const one = await consumers.start({ log: measuring })
    for (let n = 0; n < 40; n++) await one.publish('a', { text: 'x'.repeat(60_000) })
    all.open()
    await consumers.drained()
    await isSent(consumers, 0)
    assert.ok(Math.max(...sizes) <= 1024 * 1024)
    assert.deepEqual(await consumers.applied(), await consumers.published())
  })

  test('adds nothing behind what its heir has sent', async (consumers, log) => {
    const held = gate()
    let isHolding = false
    const holding: EventLog = {
      head: () => log.head(),
      follow: (options, signal) => log.follow(options, signal),
      async append(source, fencing, events) {
        isHolding = true
        await held.isOpen
        return log.append(source, fencing, events)
      },
    }
    const zombie = await consumers.start({ log: holding })
    await zombie.publish('a')
    await until('it is about to append', () => isHolding)
    // Its lease is over, as of one whose process is stopped.
    await zombie.worker.close()
    const heir = await consumers.start()
    await heir.publish('a')
    await isSent(consumers, 0)
    held.open()
    await zombie.close()
    await heir.publish('a')
    await consumers.drained()
    assert.deepEqual(await notesIn(log), ['a 1', 'a 2', 'a 3'])
  })

  test('is one at a time, however many instances there are', async (consumers, log) => {
    const producers = new Set<number>()
    const watching: EventLog = {
      head: () => log.head(),
      follow: (options, signal) => log.follow(options, signal),
      append(source, fencing, events) {
        producers.add(fencing)
        return log.append(source, fencing, events)
      },
    }
    const [one, two] = [await consumers.start({ log: watching }), await consumers.start({ log: watching })]
    for (let n = 0; n < 20; n++) await (n % 2 === 0 ? one : two).publish(`key-${n % 3}`)
    await consumers.drained()
    assert.equal(producers.size, 1)
    assert.equal((await notesIn(log)).length, 20)
  })

  test('gets over a database that was restored, to which the log knows later producers', async (consumers) => {
    for (let life = 0; life < 3; life++) {
      const one = await consumers.start()
      await one.publish('a')
      await consumers.drained()
      await one.close()
    }
    await consumers.test.ask('update flotilla.relay set fencing = 0, owner = null')
    const after = await consumers.start()
    await after.publish('a')
    await consumers.drained()
    assert.deepEqual(await consumers.applied(), await consumers.published())
  })

  test('ends quickly, and leaves the rest to the next instance', async (consumers) => {
    const one = await consumers.start()
    await Promise.all(Array.from({ length: 50 }, (_, n) => one.publish(`key-${n}`)))
    const startMs = systemClock.monotonicMs()
    await one.close()
    assert.ok(systemClock.monotonicMs() - startMs < 10_000)
    await consumers.start()
    await consumers.drained()
    assert.deepEqual(await consumers.applied(), await consumers.published())
  })

  test('refuses at once what the log would refuse for ever', async (consumers) => {
    const one = await consumers.start()
    await assert.rejects(one.publish('with \0 in it'))
    await assert.rejects(one.publish('k'.repeat(201)), /cannot be published/)
    await one.publish('a')
    await consumers.drained()
  })
})
