import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { Envelope } from '@flotilla/core/envelope'
import { FlotillaError } from '@flotilla/core/error'
import type { Batch, EventLog, FollowOptions } from '@flotilla/core/event-log'
import { VirtualClock } from '@flotilla/core/virtual-clock'
import { EventFollower } from './event-follower.ts'

const event = (id: string): Envelope => ({ id }) as Envelope

/** A log that says what a test lets it say. */
class SpokenLog implements EventLog {
  position = 7
  readonly follows: FollowOptions[] = []
  #say: ((batch: Batch | Error) => void) | undefined

  async head() {
    return { position: this.position, oldest: 1 }
  }

  async append(): Promise<void> {
    assert.fail('nobody appends')
  }

  async *follow(options: FollowOptions, signal: AbortSignal): AsyncGenerator<Batch> {
    this.follows.push(options)
    while (!signal.aborted) {
      const batch = await new Promise<Batch | Error | undefined>((resolve) => {
        this.#say = resolve
        signal.addEventListener('abort', () => resolve(undefined))
      })
      if (batch instanceof Error) throw batch
      if (batch !== undefined) yield batch
    }
  }

  say(batch: Batch | Error): void {
    this.#say?.(batch)
  }
}

async function open(t: TestContext) {
  const clock = new VirtualClock()
  const eventLog = new SpokenLog()
  const heard: string[] = []
  const follower = new EventFollower({
    eventLog,
    topics: ['a.b'],
    clock,
    log: { info: () => {}, warn: () => {} },
    onEvent: ({ id }) => heard.push(id),
    onGap: () => heard.push('gap'),
  })
  t.after(() => follower.close())
  await clock.advance(0)
  const say = async (batch: Batch | Error): Promise<void> => {
    eventLog.say(batch)
    await clock.advance(0)
  }
  return { clock, eventLog, heard, follower, say }
}

describe('EventFollower', () => {
  it('begins where the log ends, and is current once it was told so', async (t) => {
    const { eventLog, heard, follower, say, clock } = await open(t)
    assert.deepEqual(heard, ['gap'], 'nobody knows what happened before')
    assert.deepEqual(new Set(Object.values(eventLog.follows[0]?.positions ?? {})), new Set([7]))
    assert.equal(follower.isCurrent, false)
    await say({ events: [], upTo: 7, isEnd: true })
    assert.equal(follower.isCurrent, true)
    await clock.advance(600)
    await say({ events: [{ position: 8, partition: 0, event: event('e8') }], upTo: 8, isEnd: true })
    assert.deepEqual(heard, ['gap', 'e8'])
    await clock.advance(700)
    assert.equal(follower.isCurrent, true)
    await clock.advance(1)
    assert.equal(follower.isCurrent, false, 'silence: something may have happened')
  })

  it('is not current while there is more than it was told', async (t) => {
    const { follower, say, clock } = await open(t)
    await say({ events: [], upTo: 7, isEnd: true })
    for (let turn = 0; turn < 4; turn++) {
      await clock.advance(200)
      await say({ events: [], upTo: 8 + turn, isEnd: false })
    }
    assert.equal(follower.isCurrent, false)
    await say({ events: [], upTo: 20, isEnd: true })
    assert.equal(follower.isCurrent, true)
  })

  it('goes on from where it was after a failure, and is not current meanwhile', async (t) => {
    const { eventLog, heard, follower, say, clock } = await open(t)
    await say({ events: [], upTo: 9, isEnd: true })
    await say(new FlotillaError('unavailable', 'The log is away.'))
    assert.equal(follower.isCurrent, false, 'at once')
    await clock.advance(150)
    assert.equal(eventLog.follows[1]?.positions[0], 9)
    assert.equal(follower.isCurrent, false)
    await say({ events: [{ position: 10, partition: 0, event: event('missed') }], upTo: 10, isEnd: true })
    assert.equal(follower.isCurrent, true)
    assert.deepEqual(heard, ['gap', 'missed'])
  })

  it('takes everything for changed when the log has forgotten, or is another one', async (t) => {
    const { eventLog, heard, follower, say, clock } = await open(t)
    await say({ events: [], upTo: 9, isEnd: true, forgottenUpTo: 9 })
    assert.deepEqual(heard, ['gap', 'gap'])
    eventLog.position = 3
    await say(new FlotillaError('failed_precondition', 'It ends at 3.', { reason: 'beyond_end' }))
    await clock.advance(150)
    assert.deepEqual(heard, ['gap', 'gap', 'gap'])
    assert.equal(eventLog.follows[1]?.positions[0], 3)
    assert.equal(follower.isCurrent, false)
  })

  it('follows anew when the log hangs', async (t) => {
    const { eventLog, follower, say, clock } = await open(t)
    await say({ events: [], upTo: 9, isEnd: true })
    await clock.advance(3_200)
    assert.equal(eventLog.follows.length, 2)
    assert.equal(follower.isCurrent, false)
  })
})
