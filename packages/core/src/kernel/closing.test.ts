import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Closing } from './closing.ts'
import { isFlotillaError } from './error.ts'
import { VirtualClock } from './virtual-clock.ts'

const hang = (): Promise<void> => new Promise(() => {})

/** What a step may do: end well at once or later, fail in every way there is, or never end. */
const endings = {
  good: () => {},
  goodLater: (clock: VirtualClock) => clock.sleep(50),
  throws: () => {
    throw new Error('broken')
  },
  throwsNothing: () => Promise.reject(undefined),
  rejectsLater: (clock: VirtualClock) => clock.sleep(50).then(() => Promise.reject(new Error('broken'))),
  hangs: hang,
} satisfies Record<string, (clock: VirtualClock) => void | Promise<void>>
type Ending = keyof typeof endings

describe('Closing', () => {
  it('Closing runs every step once, last added first, whatever the others do, and reports every failure', async () => {
    const anyEndings = fc.array(fc.constantFrom(...(Object.keys(endings) as Ending[])), { maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(anyEndings, async (plan) => {
        const clock = new VirtualClock()
        const closing = new Closing(clock, 100)
        const begun: number[] = []
        for (const [index, ending] of plan.entries()) {
          closing.defer(`step ${index}`, () => {
            begun.push(index)
            return endings[ending](clock)
          })
        }
        const outcome = closing.close().then(
          () => [],
          (error: AggregateError) => error.errors.map(({ message }: Error) => message),
        )
        await clock.advance(plan.length * 100)
        const failing = plan.flatMap((ending, index) => (ending.startsWith('good') ? [] : [index])).reverse()
        assert.deepEqual(begun, [...plan.keys()].reverse())
        assert.deepEqual(
          (await outcome).map((message) => message.split(':')[0]),
          failing.map((index) => `closing step ${index}`),
        )
        assert.equal(clock.pending, 0)
      }),
    )
  })

  it('Closing begins a step only when the one before has ended', async () => {
    const clock = new VirtualClock()
    const closing = new Closing(clock)
    const log: string[] = []
    closing.defer('pool', () => void log.push('pool'))
    closing.defer('server', async () => {
      await clock.sleep(50)
      log.push('server')
    })
    const closed = closing.close()
    await clock.advance(49)
    assert.deepEqual(log, [])
    await clock.advance(1)
    await closed
    assert.deepEqual(log, ['server', 'pool'])
    assert.equal(clock.pending, 0)
  })

  it('Closing gives a step no more than its time', async () => {
    const clock = new VirtualClock()
    const closing = new Closing(clock, 100)
    let hasReachedPool = false
    closing.defer('pool', () => {
      hasReachedPool = true
    })
    closing.defer('server', hang)
    const outcome = closing.close().catch((error: AggregateError) => error)
    await clock.advance(99)
    assert.equal(hasReachedPool, false)
    await clock.advance(1)
    assert.equal(hasReachedPool, true)
    const [failure] = ((await outcome) as AggregateError).errors as Error[]
    assert.match(failure?.message ?? '', /^closing server: not done after 100 ms/)
    assert.ok(isFlotillaError(failure?.cause) && failure.cause.code === 'deadline_exceeded')
  })

  it('Closing closes once, and a second call waits for the first and ends as it does', async () => {
    const clock = new VirtualClock()
    const closing = new Closing(clock)
    let times = 0
    closing.defer('pool', async () => {
      times++
      await clock.sleep(50)
      throw new Error('broken')
    })
    const ends: string[] = []
    const noteEnd = (): void => void ends.push(`${clock.monotonicMs()}`)
    closing.close().catch(noteEnd)
    closing.close().catch(noteEnd)
    closing[Symbol.asyncDispose]().catch(noteEnd)
    await clock.advance(100)
    assert.deepEqual(ends, ['50', '50', '50'])
    assert.equal(times, 1)
  })

  it('Closing takes no step once it has begun', async () => {
    const closing = new Closing(new VirtualClock())
    const closed = closing.close()
    assert.throws(() => closing.defer('late', () => {}), { code: 'failed_precondition' })
    await closed
  })

  it('Closing closes at the end of an await using block', async () => {
    let isClosed = false
    {
      await using closing = new Closing(new VirtualClock())
      closing.defer('pool', () => {
        isClosed = true
      })
    }
    assert.equal(isClosed, true)
  })
})
