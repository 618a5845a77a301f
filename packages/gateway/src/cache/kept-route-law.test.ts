/** Whatever comes in whatever order: whose answer one gets, and how old it may be. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Cancellation } from '@flotilla/core/cancellation'
import { FlotillaError } from '@flotilla/core/error'
import fc from 'fast-check'
import { away, openKeptRoute, type TestCall, TTL_MS, valueIn } from './open-kept-route.test.ts'
import type { Outcome } from './outcome.ts'

const key = fc.constantFrom('a', 'b')
const which = fc.nat(20)
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('ask' as const),
      key,
      cacheControl: fc.option(fc.constantFrom('no-cache', 'no-store', 'max-age=3'), {
        nil: undefined,
        freq: 4,
      }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('read' as const), which }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('answer' as const), which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fail' as const), which }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('leave' as const), which }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('write' as const), key }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('hear' as const), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('gap' as const) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.constantFrom(5, 600, 2_000, 9_500, 25_000),
    }),
  },
)

/** A thing that changes, and what is known of its changes. */
class Thing {
  value = 0
  /** Of each value: when it was overwritten. */
  readonly overwrittenMs: number[] = []
  /** The cache has heard of this value. */
  heard = 0

  write(nowMs: number): void {
    this.overwrittenMs[this.value++] = nowMs
  }
}

interface Request {
  readonly key: string
  readonly askedMs: number
  /** What it may not get to see any more. */
  readonly heard: number
  readonly client: Cancellation
  readonly outcome: () => Outcome | undefined
  isDone: boolean
}

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never
type Of<K extends Step['do']> = Extract<Step, { do: K }>

function pick<T>(list: readonly T[], index: number): T | undefined {
  return list[index % Math.max(1, list.length)]
}

/** Things, a service that reads them, and those who ask. */
class World {
  readonly #route: ReturnType<typeof openKeptRoute>
  readonly #things = new Map(['a', 'b'].map((name) => [name, new Thing()]))
  /** Calls in the air, with what each has read. */
  readonly #air: { call: TestCall; read: number | undefined }[] = []
  #open: Request[] = []
  #hasFailed = false

  constructor(seed: number) {
    this.#route = openKeptRoute(seed)
  }

  get openCount(): number {
    return this.#open.length
  }

  #thing(name: string): Thing {
    return this.#things.get(name) as Thing
  }

  async take(one: Step): Promise<void> {
    switch (one.do) {
      case 'ask':
        this.#ask(one)
        break
      case 'read':
        this.#read(one)
        break
      case 'answer':
      case 'fail':
        this.#end(one)
        break
      case 'leave':
        pick(this.#open, one.which)?.client.cancel(new FlotillaError('canceled', 'Gone.'))
        break
      case 'write':
        this.#thing(one.key).write(this.#route.clock.monotonicMs())
        break
      case 'hear':
        this.#thing(one.key).heard = this.#thing(one.key).value
        this.#route.store.changed([`key:${one.key}`])
        break
      case 'gap':
        for (const thing of this.#things.values()) thing.heard = thing.value
        this.#route.store.allChanged()
        break
      case 'wait':
        await this.#route.clock.advance(one.ms)
        this.#expire()
    }
    this.look()
  }

  #ask({ key: its, cacheControl }: Of<'ask'>): void {
    const client = new Cancellation()
    const askedMs = this.#route.clock.monotonicMs()
    const outcome = this.#route.ask(its, { client, ...(cacheControl === undefined ? {} : { cacheControl }) })
    this.#open.push({ key: its, askedMs, heard: this.#thing(its).heard, client, outcome, isDone: false })
  }

  #read({ which: index }: Of<'read'>): void {
    const flying = pick(this.#air, index)
    if (flying !== undefined) flying.read ??= this.#thing(flying.call.key).value
  }

  #end({ do: how, which: index }: Of<'answer' | 'fail'>): void {
    const [flying] = this.#air.splice(index % Math.max(1, this.#air.length), 1)
    if (flying === undefined) return
    const { call, read } = flying
    if (how === 'answer') return call.answer(read ?? this.#thing(call.key).value)
    call.fail(away)
  }

  /** No call outlives its deadline: the client of a service sees to that. */
  #expire(): void {
    const nowMs = this.#route.clock.monotonicMs()
    for (const flying of this.#air.filter(({ call }) => call.context.deadlineMs <= nowMs)) {
      this.#hasFailed = true
      this.#air.splice(this.#air.indexOf(flying), 1)
      flying.call.fail(new FlotillaError('deadline_exceeded', 'Too late.'))
    }
  }

  async end(): Promise<void> {
    await this.#route.clock.advance(60_000)
    this.look()
  }

  /** At what has happened since the last look. */
  look(): void {
    for (const call of this.#route.calls.splice(0)) {
      assert.deepEqual(call.context.caller, {}, 'asked as nobody')
      this.#air.push({ call, read: undefined })
    }
    for (const { outcome } of this.#open) {
      const { error, status = '' } = outcome() ?? {}
      this.#hasFailed ||= error !== undefined || status.includes('fwd-status')
    }
    for (const request of this.#open) judge(request, this.#thing(request.key), this.#hasFailed)
    this.#open = this.#open.filter(({ isDone }) => !isDone)
  }
}

describe('KeptRoute, as a law', () => {
  it('answers only what was asked, never older than its time, and never from before a change that was heard of', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 120, size: 'max' }), fc.integer(), async (steps, seed) => {
        const world = new World(seed)
        for (const one of steps) await world.take(one)
        await world.end()
        assert.equal(world.openCount, 0, 'everybody is answered, though the service never does')
      }),
      { numRuns: 500 },
    )
  })
})

function judge(request: Request, { overwrittenMs }: Thing, hasFailed: boolean): void {
  const outcome = request.outcome()
  if (outcome === undefined) return
  request.isDone = true
  if (outcome.error !== undefined) {
    assert.match(outcome.error.code, /^(?:unavailable|canceled|deadline_exceeded)$/)
    return
  }
  const { key: its, value } = valueIn(outcome)
  assert.equal(its, request.key, "another question's answer")
  assert.ok(
    value >= request.heard,
    `value ${value} is from before change ${request.heard}, which was heard of`,
  )
  // A failure in between lets an answer live on.
  const ttls = outcome.how === 'stale' && hasFailed ? 11 : 2
  const oldestMs = request.askedMs - ttls * TTL_MS
  assert.ok((overwrittenMs[value] ?? Number.POSITIVE_INFINITY) >= oldestMs, 'it is too old')
  if (outcome.how === 'hit') {
    const freshMs = request.askedMs - TTL_MS
    assert.ok((overwrittenMs[value] ?? Number.POSITIVE_INFINITY) >= freshMs, 'it is not fresh')
  }
}
