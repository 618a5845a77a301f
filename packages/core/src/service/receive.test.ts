import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Access, anyone, anyService, role, service, user } from '../contract/access.ts'
import { defineContract } from '../contract/contract.ts'
import { command, query, stream } from '../contract/operation.ts'
import { Type } from '../contract/schema.ts'
import type { Caller, User } from '../kernel/caller.ts'
import { Cancellation } from '../kernel/cancellation.ts'
import type { Criticality } from '../kernel/context.ts'
import { FlotillaError } from '../kernel/error.ts'
import { createIds } from '../kernel/ids.ts'
import { seededRandom } from '../kernel/random.ts'
import { TimerWheel } from '../kernel/timer-wheel.ts'
import { TraceContext } from '../kernel/trace-context.ts'
import { VirtualClock } from '../kernel/virtual-clock.ts'
import { Admission, fixedLimit, type Limiter } from '../resilience/admission.ts'
import { Metrics } from '../telemetry/metrics.ts'
import { SpanRing } from '../telemetry/spans.ts'
import type { CallRequest, Reply } from '../wire/wire.ts'
import type { AnyHandler } from './definition.ts'
import type { LoopWatch } from './loop-watch.ts'
import { ServiceReceiver } from './receive.ts'
import { ServedOperation } from './served.ts'

const N = Type.Object({ n: Type.Integer() })

const contractWith = (access: Access) =>
  defineContract({
    name: 'served',
    version: 1,
    summary: 'Is served.',
    operations: {
      get: query({ summary: 'Gets.', access, input: N, output: N, timeoutMs: 1_000 }),
      put: command({ summary: 'Puts.', access, input: N, output: N, idempotency: 'key_required' }),
      follow: stream({ summary: 'Follows.', access, input: N, output: N, timeoutMs: 1_000 }),
    },
  })

/** A receiver on a clock that stands still. */
function setUp(
  handler: AnyHandler,
  access: Access = anyone,
  limit: Limiter = fixedLimit(1),
  watch?: Pick<LoopWatch, 'admits'>,
) {
  const clock = new VirtualClock()
  const random = seededRandom(1)
  const wheel = new TimerWheel(clock)
  const receiver = new ServiceReceiver(wheel, watch)
  const logged: unknown[] = []
  const keep = (...line: unknown[]): void => void logged.push(line)
  const log = { debug: keep, info: keep, warn: keep, error: keep, with: () => log }
  const metrics = new Metrics()
  const environment = {
    service: 'served',
    ports: { clock, random, newId: createIds(clock, random) },
    log,
    metrics,
    spans: new SpanRing({ sizeMax: 8 }).of('served'),
    database: undefined,
    callsOf: () => assert.fail('calls nobody'),
    outbox: undefined,
  }
  const served = { environment, idempotency: undefined }
  const { operations } = contractWith(access)
  for (const operation of Object.values(operations))
    receiver.add(new ServedOperation(operation, handler, served, new Admission(limit), metrics))
  const request = (name: keyof typeof operations, given: Partial<CallRequest> = {}): CallRequest => ({
    operation: operations[name],
    input: { n: 1 },
    wantsJson: false,
    startMs: clock.monotonicMs(),
    caller: {},
    deadlineMs: clock.monotonicMs() + 500,
    trace: TraceContext.start(random, false),
    criticality: 'critical',
    cancellation: new Cancellation(),
    ...given,
  })
  /** The reply's fields fill in when it is settled. */
  const call = (name: keyof typeof operations, given: Partial<CallRequest> = {}) => {
    const replies: Reply[] = []
    receiver.call(request(name, given), (reply) => replies.push(reply))
    return replies
  }
  return { clock, receiver, logged, request, call, metrics }
}

const userWith = (given: Partial<User> = {}): Caller => ({
  user: { id: 'u', roles: [], scopes: [], tier: 'free', ...given },
})

describe('ServiceReceiver', () => {
  it('checks deadline, then authorisation, then input, then the key, before the handler', () => {
    const { call } = setUp(() => assert.fail('ran'), user)
    const wrong = { deadlineMs: 0, input: {}, caller: {} }
    const codeOf = (given: Partial<CallRequest>) => {
      const [reply] = call('put', given)
      assert.equal(reply?.error?.executed, 'no')
      assert.equal(reply.error.isRemote, true, 'as the caller sees it, though it crossed no process')
      return reply.error.code
    }
    assert.equal(codeOf(wrong), 'deadline_exceeded')
    assert.equal(codeOf({ ...wrong, deadlineMs: 500 }), 'unauthenticated')
    assert.equal(codeOf({ input: {}, caller: userWith() }), 'invalid_argument')
    assert.equal(codeOf({ caller: userWith() }), 'invalid_argument')
    assert.equal(codeOf({ caller: userWith(), idempotencyKey: 'k'.repeat(256) }), 'invalid_argument')
  })

  it('lets in whom the access rule names and nobody else', () => {
    const callers = {
      nobody: {},
      user: userWith(),
      admin: userWith({ roles: ['admin'] }),
      reader: userWith({ scopes: ['served:read'] }),
      writer: userWith({ scopes: ['served:write'] }),
      service: { service: 'cart' },
    }
    const table: readonly (readonly [Access, readonly (keyof typeof callers)[]])[] = [
      [anyone, ['nobody', 'user', 'admin', 'reader', 'writer', 'service']],
      [user, ['user', 'admin', 'reader']],
      [role('admin'), ['admin']],
      [service('cart'), ['service']],
      [service('orders'), []],
      [anyService, ['service']],
    ]
    for (const [access, allowed] of table) {
      const { call } = setUp(() => ({ n: 1 }), access)
      for (const [name, caller] of Object.entries(callers)) {
        const isAllowed = call('get', { caller })[0]?.error === undefined
        assert.equal(
          isAllowed,
          allowed.some((one) => one === name),
          `${JSON.stringify(access)} and ${name}`,
        )
      }
    }
  })

  it('tells the log, and nobody else, what broke', async () => {
    const handlers: AnyHandler[] = [
      () => ({ n: 'secret' }),
      async () => ({ n: 'secret' }),
      () => {
        throw new Error('secret')
      },
      async () => {
        throw Object.assign(new Error('secret'), { code: '23505' })
      },
      async () => {
        throw new FlotillaError('internal', 'secret')
      },
    ]
    for (const handler of handlers) {
      const { call, clock, logged } = setUp(handler)
      const replies = call('get')
      await clock.advance(0)
      assert.equal(replies[0]?.error?.code, 'internal')
      assert.doesNotMatch(JSON.stringify(replies[0].error.toBody()), /secret|23505/)
      assert.equal(logged.length, 1)
    }
  })

  it('stops the handler at the deadline, answers before it, and settles once', async () => {
    let signal: AbortSignal | undefined
    const { call, clock } = setUp(async (_, ctx) => {
      signal = ctx.signal
      await ctx.clock.sleep(800)
      return { n: 1 }
    })
    const replies = call('get')
    await clock.advance(500)
    assert.equal(replies[0]?.error?.code, 'deadline_exceeded')
    assert.equal(replies[0].error.executed, 'maybe')
    assert.equal(signal?.aborted, true)
    await clock.advance(1_000)
    assert.equal(replies.length, 1)
  })

  it('passes the giving up of the caller on to the handler', async () => {
    let signal: AbortSignal | undefined
    const { call, clock } = setUp((_, ctx) => {
      signal = ctx.signal
      return new Promise(() => {})
    })
    const cancellation = new Cancellation()
    const replies = call('get', { cancellation })
    cancellation.cancel(new FlotillaError('canceled', 'Gone.'))
    await clock.advance(0)
    assert.equal(signal?.aborted, true)
    assert.equal(replies[0]?.error?.code, 'canceled')
  })

  it('says that a call canceled before its handler began was not executed', () => {
    const { call, receiver } = setUp(() => assert.fail('ran'))
    const cancellation = new Cancellation()
    cancellation.cancel(new FlotillaError('canceled', 'Gone.'))
    const [reply] = call('get', { cancellation })
    assert.equal(`${reply?.error?.code} ${reply?.error?.executed}`, 'canceled no')
    assert.equal(receiver.inFlight, 0)
  })

  it('runs as many as the bound allows, queues a few, refuses the rest', async () => {
    let runs = 0
    const { call, clock, receiver } = setUp(async (_, ctx) => {
      runs++
      await ctx.clock.sleep(100)
      return { n: runs }
    })
    const [first, second, third] = [call('get'), call('get'), call('get')]
    assert.equal(third[0]?.error?.code, 'unavailable')
    assert.equal(third[0].error.executed, 'no')
    assert.ok(third[0].error.retryAfterMs)
    assert.equal(receiver.inFlight, 1)
    await clock.advance(100)
    assert.deepEqual(first[0]?.output, { n: 1 })
    await clock.advance(100)
    assert.deepEqual(second[0]?.output, { n: 2 })
    assert.equal(receiver.inFlight, 0)
  })

  it('refuses for overload before it looks at who calls or what for, and tells everybody the same', () => {
    const { call, receiver } = setUp(() => new Promise(() => {}), user, fixedLimit(1))
    const given = { caller: userWith(), deadlineMs: 400 }
    call('get', given)
    call('get', given)
    const answers = [given, { caller: {} }, { input: {} }].map((its) => call('get', { ...given, ...its })[0])
    for (const answer of answers) {
      const { code, message, executed, isOverloaded, isRemote } = answer?.error ?? assert.fail('answered')
      assert.deepEqual([code, executed, isOverloaded, isRemote], ['unavailable', 'no', true, true])
      assert.equal(message, 'Too much to do right now.')
    }
    assert.equal(receiver.inFlight, 1)
  })

  it('lets who may not call, or asks for what is not valid, take no place', () => {
    const { call, receiver } = setUp(() => assert.fail('ran'), user)
    for (const given of [{ caller: {} }, { caller: userWith(), input: {} }]) call('get', given)
    assert.equal(receiver.inFlight, 0)
  })

  it('asks those it refuses to come back at different times', () => {
    const { call } = setUp(() => new Promise(() => {}))
    const waits = new Set<number>()
    for (let count = 0; count < 100; count++) waits.add(call('get')[0]?.error?.retryAfterMs ?? 100)
    assert.ok(waits.size > 8 && Math.min(...waits) >= 50 && Math.max(...waits) <= 150, [...waits].join())
  })

  it('keeps the last places for what matters most', async () => {
    const { call, clock, metrics } = setUp(() => new Promise(() => {}), anyone, fixedLimit(10))
    const isRefused = (criticality: Criticality): boolean => call('get', { criticality })[0] !== undefined
    let calls = 0
    for (const criticality of ['sheddable', 'critical', 'critical_plus'] as const) {
      // Until some wait, too.
      while (!isRefused(criticality)) calls++
      await clock.advance(0)
    }
    // Running and waiting: 5 and 3; then 4 and 2, and 3 in the place of sheddable ones; then 1, and 5 in the place of critical ones.
    assert.equal(calls, 8 + 9 + 6)
    const refused = metrics.counter('flotilla_server_refused_total', '', [
      'service',
      'operation',
      'criticality',
      'why',
    ])
    const counts = [...refused.cells()].filter(({ cell }) => cell.value > 0)
    assert.deepEqual(counts.map(({ values, cell }) => [...values.slice(2), cell.value]).toSorted(), [
      ['critical', 'displaced', 5],
      ['critical', 'full', 1],
      ['critical_plus', 'full', 1],
      ['sheddable', 'displaced', 3],
      ['sheddable', 'full', 1],
    ])
  })

  it('refuses what comes in when the event loop is late for its class, but neither streams nor what this process asks of itself', async () => {
    const { call, clock, receiver, request } = setUp(
      async function* () {
        yield { n: 1 }
      },
      anyone,
      fixedLimit(1),
      { admits: (rank) => rank === 0 },
    )
    assert.equal(call('get')[0]?.error?.isOverloaded, true)
    for (const given of [{ criticality: 'critical_plus' }, { isLocal: true }] as const)
      assert.equal(call('get', given)[0]?.error?.isOverloaded, false)
    for await (const item of receiver.stream(request('follow'))) assert.deepEqual(item, { n: 1 })
    await clock.advance(0)
  })

  it('tells the limit how long calls took without their wait, and nothing of those that were refused by the handler', async () => {
    const samples: number[] = []
    const limit = { ...fixedLimit(1), sample: (durationMs: number) => void samples.push(durationMs) }
    const { call, clock } = setUp(
      async (input, ctx) => {
        const { n } = input as { n: number }
        await ctx.clock.sleep(n)
        if (n === 700) ctx.cancellation.throwIfCanceled()
        if (n === 2) throw new FlotillaError('not_found', 'No.')
        return { n }
      },
      anyone,
      limit,
    )
    call('get', { input: { n: 100 } })
    call('get', { input: { n: 40 } })
    await clock.advance(150)
    assert.deepEqual(samples, [100, 40])
    call('get', { input: { n: 2 } })
    await clock.advance(10)
    call('get', { input: { n: 700 }, deadlineMs: clock.monotonicMs() + 105 })
    await clock.advance(1_000)
    assert.deepEqual(samples, [100, 40, 700], 'one that ran out of time tells of the load')
  })

  it('never runs what ran out of time in the queue', async () => {
    let runs = 0
    const { call, clock } = setUp(async (_, ctx) => {
      runs++
      await ctx.clock.sleep(5_000)
      return { n: 1 }
    })
    call('get')
    const waiting = call('get')
    await clock.advance(10_000)
    assert.equal(waiting[0]?.error?.code, 'deadline_exceeded')
    assert.equal(waiting[0].error.executed, 'no')
    assert.equal(runs, 1)
  })

  it('never runs what ran out of time just before its turn', async () => {
    let runs = 0
    const { call, clock, receiver } = setUp(async (_, ctx) => {
      runs++
      await ctx.clock.sleep(100)
      return { n: 1 }
    })
    call('get')
    // 5 ms of these are for the answer to travel; deadlines are looked at every 10 ms.
    const waiting = call('get', { deadlineMs: 102 })
    await clock.advance(200)
    assert.equal(runs, 1)
    assert.equal(`${waiting[0]?.error?.code} ${waiting[0]?.error?.executed}`, 'deadline_exceeded no')
    assert.equal(waiting.length, 1)
    assert.equal(receiver.inFlight, 0)
  })

  it('validates every item of a stream, and counts a foreign error as our own failure', async () => {
    const secret = Object.assign(new Error('secret'), { code: '23505' })
    for (const broken of [() => ({ n: 'secret' }), () => Promise.reject(secret)]) {
      const { receiver, request, logged, metrics } = setUp(async function* () {
        yield { n: 1 }
        yield await broken()
      })
      const items: unknown[] = []
      const failure = await (async () => {
        for await (const item of receiver.stream(request('follow'))) items.push(item)
      })().catch((error: FlotillaError) => error)
      assert.deepEqual(items, [{ n: 1 }])
      assert.equal(failure?.code, 'internal')
      assert.doesNotMatch(JSON.stringify(failure.toBody()), /secret/)
      assert.equal(logged.length, 1)
      const calls = metrics.counter('flotilla_server_calls_total', '', ['service', 'operation', 'code'])
      const codes = [...calls.cells()].map(({ values }) => values[2])
      assert.deepEqual(codes, ['internal'])
    }
  })

  it('ends a stream whose reader leaves', async () => {
    let isEnded = false
    const { receiver, request } = setUp(async function* (_, ctx) {
      try {
        for (;;) yield { n: 1 }
      } finally {
        isEnded = true
        assert.equal(ctx.signal.aborted, false)
      }
    })
    for await (const _ of receiver.stream(request('follow'))) break
    assert.equal(isEnded, true)
  })

  it('ends a stream at once when it is stopped, though its handler goes on', async () => {
    const { receiver, request, clock } = setUp(async function* () {
      yield { n: 1 }
      await new Promise(() => {})
    })
    const open = async (given: Partial<CallRequest> = {}) => {
      const items = receiver.stream(request('follow', given))[Symbol.asyncIterator]()
      assert.deepEqual(await items.next(), { done: false, value: { n: 1 } })
      return items.next()
    }
    const late = assert.rejects(open(), { code: 'deadline_exceeded' })
    await clock.advance(1_000)
    await late
    const cancellation = new Cancellation()
    const gone = assert.rejects(open({ cancellation }), { code: 'canceled' })
    await clock.advance(0)
    cancellation.cancel(new FlotillaError('canceled', 'Gone.'))
    await gone
  })
})
