import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Access, anyone, anyService, role, service, user } from '../contract/access.ts'
import { defineContract } from '../contract/contract.ts'
import { command, query, stream } from '../contract/operation.ts'
import { Type } from '../contract/schema.ts'
import type { Caller, User } from '../kernel/caller.ts'
import { Cancellation } from '../kernel/cancellation.ts'
import { FlotillaError } from '../kernel/error.ts'
import { createIds } from '../kernel/ids.ts'
import { seededRandom } from '../kernel/random.ts'
import { TimerWheel } from '../kernel/timer-wheel.ts'
import { TraceContext } from '../kernel/trace-context.ts'
import { VirtualClock } from '../kernel/virtual-clock.ts'
import { ConcurrencyBound } from '../resilience/concurrency.ts'
import { Metrics } from '../telemetry/metrics.ts'
import { SpanRing } from '../telemetry/spans.ts'
import type { CallRequest, Reply } from '../wire/wire.ts'
import type { AnyHandler } from './definition.ts'
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
function setUp(handler: AnyHandler, access: Access = anyone, bound = new ConcurrencyBound(1, 1)) {
  const clock = new VirtualClock()
  const random = seededRandom(1)
  const wheel = new TimerWheel(clock)
  const receiver = new ServiceReceiver(wheel)
  const logged: unknown[] = []
  const keep = (...line: unknown[]): void => void logged.push(line)
  const log = { debug: keep, info: keep, warn: keep, error: keep, with: () => log }
  const metrics = new Metrics()
  const environment = {
    service: 'served',
    ports: { clock, random, newId: createIds(clock, random) },
    log,
    database: undefined,
    callsOf: () => assert.fail('calls nobody'),
    outbox: undefined,
  }
  const served = { environment, bound, spans: new SpanRing(8), idempotency: undefined }
  const { operations } = contractWith(access)
  for (const operation of Object.values(operations))
    receiver.add(new ServedOperation(operation, handler, served, metrics))
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
      const calls = metrics.counter('flotilla_server_calls_total', '', ['operation', 'code'])
      const codes = [...calls.cells()].map(({ values }) => values[1])
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
