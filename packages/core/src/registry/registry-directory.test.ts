import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { Cancellation } from '../kernel/cancellation.ts'
import { FlotillaError } from '../kernel/error.ts'
import { seededRandom } from '../kernel/random.ts'
import { VirtualClock } from '../kernel/virtual-clock.ts'
import { LEASE_MS, type Update } from './contract.ts'
import type { Instance } from './directory.ts'
import { RegistryDirectory } from './registry-directory.ts'

const at = (instance: string, service = 'orders'): Instance => ({
  instance,
  service,
  version: '1',
  frames: 'unix:/x',
  http: '',
})

/** A registry's watch in the test's hand. */
class Watch implements AsyncIterable<Update> {
  readonly #updates: Update[] = []
  #wake = (): void => {}
  #isBroken = false

  push(...updates: Update[]): void {
    this.#updates.push(...updates)
    this.#wake()
  }

  break(): void {
    this.#isBroken = true
    this.#wake()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Update> {
    for (;;) {
      const next = this.#updates.shift()
      if (next !== undefined) yield next
      else if (this.#isBroken) throw new FlotillaError('unavailable', 'The registry is gone.')
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
    }
  }
}

const snapshot = (...names: string[]): Update => ({
  kind: 'snapshot',
  instances: names.map((name) => at(name)),
})
const down = (name: string, why: 'left' | 'expired' | 'unhealthy'): Update => ({
  kind: 'down',
  instance: at(name),
  why,
})

async function openWith(t: TestContext, ...names: string[]) {
  const opened = openUnanswered(t)
  await opened.push(snapshot(...names))
  await opened.isOpen
  return opened
}

/** A directory that has not heard of the registry yet. */
function openUnanswered(t: TestContext) {
  const clock = new VirtualClock()
  const watches: Watch[] = []
  const told: boolean[] = []
  const reports: string[] = []
  const directory = new RegistryDirectory({
    clock,
    random: seededRandom(1),
    watch: (cancellation: Cancellation) => {
      const watch = new Watch()
      watches.push(watch)
      cancellation.listen({ canceled: () => watch.break() })
      return watch
    },
    report: ({ instance }) => reports.push(instance),
    registry: at('r', 'registry'),
    onStale: (isStale) => told.push(isStale),
  })
  t.after(() => directory.close())
  const isOpen = directory.open(1_000)
  const push = async (...updates: Update[]): Promise<void> => {
    watches.at(-1)?.push(...updates)
    await clock.advance(0)
  }
  const present = (): string[] => directory.instancesOf('orders').map(({ instance }) => instance)
  return { clock, directory, watches, told, reports, push, present, isOpen }
}

describe('RegistryDirectory', () => {
  it('sees what is pushed at once, and gives the same array until then', async (t) => {
    const { directory, push, present } = await openWith(t, 'a')
    const before = directory.instancesOf('orders')
    assert.equal(directory.instancesOf('orders'), before)
    await push({ kind: 'up', instance: at('b') })
    assert.deepEqual(present(), ['a', 'b'])
    await push(down('a', 'left'), down('b', 'left'))
    assert.deepEqual(present(), [])
  })

  it('says so when the registry is not there at the start', async (t) => {
    const { clock, directory, watches, told, push } = openUnanswered(t)
    watches[0]?.break()
    await clock.advance(0)
    assert.equal(directory.isStale, true)
    assert.deepEqual(told, [true])
    await clock.advance(1_000)
    await push(snapshot('a'))
    assert.deepEqual(told, [true, false])
  })

  it('keeps its list while the registry is gone, says so, and comes back', async (t) => {
    const { clock, directory, watches, told, push, present } = await openWith(t, 'a', 'b')
    watches[0]?.break()
    await clock.advance(60_000)
    assert.deepEqual(present(), ['a', 'b'])
    assert.equal(directory.isStale, true)
    assert.equal(watches.length, 2)
    await push(snapshot('a', 'b', 'c'))
    assert.deepEqual(present(), ['a', 'b', 'c'])
    assert.deepEqual(told, [false, true, false])
  })

  it('does not believe an emptied or halved list before a lease is over', async (t) => {
    for (const left of [[], ['a'], ['a', 'b']]) {
      const { clock, push, present } = await openWith(t, 'a', 'b', 'c', 'd')
      await push(snapshot(...left))
      assert.deepEqual(present(), ['a', 'b', 'c', 'd'])
      await clock.advance(LEASE_MS - 1)
      assert.deepEqual(present(), ['a', 'b', 'c', 'd'])
      await clock.advance(LEASE_MS + 1)
      assert.deepEqual(present(), left)
    }
  })

  it('keeps doubted ones that are confirmed in time', async (t) => {
    const { clock, push, present } = await openWith(t, 'a', 'b')
    await push(snapshot())
    await push({ kind: 'up', instance: at('b') })
    await clock.advance(2 * LEASE_MS)
    assert.deepEqual(present(), ['b'])
  })

  it('believes at once that fewer than half are gone', async (t) => {
    const { push, present } = await openWith(t, 'a', 'b', 'c')
    await push(down('a', 'expired'))
    assert.deepEqual(present(), ['b', 'c'])
    await push(down('b', 'unhealthy'))
    assert.deepEqual(present(), ['b', 'c'])
  })

  it('drops nobody while the registry is gone', async (t) => {
    const { clock, watches, push, present } = await openWith(t, 'a', 'b')
    await push(down('a', 'expired'))
    watches[0]?.break()
    await clock.advance(10 * LEASE_MS)
    assert.deepEqual(present(), ['a', 'b'])
  })

  it('passes suspicions on, at most one a second for an instance', async (t) => {
    const { clock, directory, reports } = await openWith(t, 'a', 'b')
    for (let times = 0; times < 5; times++) directory.report(at('a'))
    directory.report(at('b'))
    directory.report(at('stranger'))
    assert.deepEqual(reports, ['a', 'b'])
    await clock.advance(1_000)
    directory.report(at('a'))
    assert.deepEqual(reports, ['a', 'b', 'a'])
  })

  it('opens without a registry after the wait', async () => {
    const clock = new VirtualClock()
    const watch = new Watch()
    const directory = new RegistryDirectory({
      clock,
      random: seededRandom(1),
      watch: () => watch,
      report: () => {},
      registry: at('r', 'registry'),
    })
    const opened = directory.open(1_000)
    await clock.advance(1_000)
    await opened
    assert.deepEqual(directory.instancesOf('registry'), [at('r', 'registry')])
    const closed = directory.close()
    watch.break()
    await closed
  })
})
