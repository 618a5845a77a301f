import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { anyone } from '../contract/access.ts'
import { refusedRequest } from '../contract/admission.ts'
import type { CallOptions } from '../contract/calls.ts'
import { defineContract } from '../contract/contract.ts'
import { command, query } from '../contract/operation.ts'
import { Type } from '../contract/schema.ts'
import { Cancellation } from '../kernel/cancellation.ts'
import type { Code } from '../kernel/code.ts'
import type { CallContext } from '../kernel/context.ts'
import { asSeenUpstream, type ErrorOptions, FlotillaError } from '../kernel/error.ts'
import { createIds } from '../kernel/ids.ts'
import { seededRandom } from '../kernel/random.ts'
import { TraceContext } from '../kernel/trace-context.ts'
import { VirtualClock } from '../kernel/virtual-clock.ts'
import type { Instance } from '../registry/directory.ts'
import { Metrics } from '../telemetry/metrics.ts'
import { SpanRing } from '../telemetry/spans.ts'
import { type CallRequest, type Channel, Reply } from '../wire/wire.ts'
import { CallPolicies } from './call-policies.ts'
import { Client } from './client.ts'

const spec = {
  summary: 'Does it.',
  access: anyone,
  input: Type.Object({ n: Type.Integer() }),
  output: Type.Object({ n: Type.Integer() }),
}
const contract = defineContract({
  name: 'callee',
  version: 1,
  summary: 'Is called.',
  operations: {
    read: query({ ...spec, timeoutMs: 1_000 }),
    write: command({ ...spec, idempotency: 'key', timeoutMs: 60_000 }),
  },
})

const instanceOf = (instance: string): Instance => ({
  instance,
  service: 'callee',
  version: '1',
  frames: '',
  http: '',
})

const failure = (code: Code, options: ErrorOptions = {}): FlotillaError =>
  FlotillaError.fromBody(new FlotillaError(code, 'It failed.', options).toBody())

/** A client on a clock that stands still, in front of instances that answer as the test says. */
function setUp({ instances = ['a', 'b'], seed = 1, isHere = false, policies = {} } = {}) {
  const clock = new VirtualClock()
  const random = seededRandom(seed)
  const state = {
    clock,
    /** Those the directory knows, in an array that is new when they change. */
    instances: instances.map(instanceOf),
    unreachable: new Set<string>(),
    /** Until this has settled nobody is connected to. */
    connecting: Promise.resolve(),
    sent: [] as { to: string; atMs: number; request: CallRequest }[],
    reported: [] as string[],
    latencyMs: 0,
    answer: (_to: string, _nth: number): FlotillaError | undefined => undefined,
  }
  const channelTo = (to: string): Channel => ({
    isOpen: true,
    call(request, settle) {
      state.sent.push({ to, atMs: clock.monotonicMs(), request })
      const error = state.answer(to, state.sent.length)
      const end = (): void => {
        const endMs = clock.monotonicMs()
        settle(error === undefined ? Reply.of(request.input, endMs) : Reply.failed(error, endMs))
      }
      if (state.latencyMs === 0) end()
      else clock.schedule(state.latencyMs, end)
    },
    stream: () => assert.fail('no streams here'),
    close: async () => {},
  })
  const client = new Client({
    ports: { clock, random, newId: createIds(clock, random) },
    metrics: new Metrics(),
    spans: new SpanRing({ sizeMax: 8 }),
    policies: new CallPolicies({ callee: policies }),
    directory: {
      instancesOf: () => state.instances,
      report: ({ instance }) => state.reported.push(instance),
    },
    localChannel: () => (isHere ? channelTo('here') : undefined),
    openChannel: async ({ instance }) => {
      await state.connecting
      if (state.unreachable.has(instance))
        throw new FlotillaError('unavailable', 'Nobody is there.', { executed: 'no' })
      return channelTo(instance)
    },
  })
  const context = (given: Partial<CallContext> = {}): CallContext => ({
    caller: {},
    deadlineMs: clock.monotonicMs() + 30_000,
    trace: TraceContext.start(random, false),
    criticality: 'critical',
    cancellation: new Cancellation(),
    ...given,
  })
  /** Makes a call and lets time pass until it ended; gives its error. */
  const call = async (
    name: 'read' | 'write',
    given: Partial<CallContext> = {},
    options: CallOptions = {},
    input: unknown = { n: 1 },
  ): Promise<FlotillaError | undefined> => {
    let ended: { readonly error: FlotillaError | undefined } | undefined
    const ctx = context(given)
    client.call(client.outgoing(contract.operations[name]), input, ctx, {}, options, false, ({ error }) => {
      assert.equal(ended, undefined, 'settled twice')
      ended = { error }
    })
    for (let steps = 0; ended === undefined && steps < 10_000; steps++) await clock.advance(10)
    assert.ok(ended, 'the call never ended')
    return ended.error
  }
  return Object.assign(state, { call })
}

describe('Client', () => {
  it('sends nothing that the callee would refuse, and says what the callee would have said', async () => {
    const { call, sent } = setUp()
    const refused: readonly (readonly [unknown, string | undefined])[] = [
      [{ n: 'x', more: 1 }, undefined],
      [{ n: 1 }, ''],
    ]
    for (const [input, idempotencyKey] of refused) {
      const options = idempotencyKey === undefined ? {} : { idempotencyKey }
      const error = await call('write', {}, options, input)
      const own = refusedRequest(contract.operations.write, input, { caller: {}, idempotencyKey })
      assert.deepEqual(error?.toBody(), own?.toBody())
      // As from the callee: where a handler lets it escape, its caller learns nothing of it.
      assert.equal(error?.isRemote, true)
    }
    assert.deepEqual(sent, [])
  })

  it('says of a call to this process that it was made here, and lets criticality only be lowered', async () => {
    for (const isHere of [true, false]) {
      const { call, sent } = setUp({ isHere })
      for (const criticality of ['sheddable', 'critical_plus'] as const)
        await call('read', {}, { criticality })
      assert.deepEqual(
        sent.map(({ request }) => [request.isLocal, request.criticality]),
        [
          [isHere, 'sheddable'],
          [isHere, 'critical'],
        ],
      )
    }
  })

  it('sends the earliest of all deadlines', async () => {
    const client = setUp()
    const deadlineOf = async (deadlineMs: number, options: CallOptions): Promise<number | undefined> => {
      const startMs = client.clock.monotonicMs()
      await client.call('read', { deadlineMs: startMs + deadlineMs }, options)
      const request = client.sent.at(-1)?.request
      return request && request.deadlineMs - request.startMs
    }
    assert.equal(await deadlineOf(500, {}), 500)
    assert.equal(await deadlineOf(5_000, {}), 1_000)
    assert.equal(await deadlineOf(5_000, { timeoutMs: 300 }), 300)
    assert.equal(await deadlineOf(200, { timeoutMs: 300 }), 200)
  })

  it('does not send what nobody waits for any more', async () => {
    const client = setUp()
    const late = await client.call('read', { deadlineMs: 0 })
    assert.equal(late?.code, 'deadline_exceeded')
    assert.equal(late.executed, 'no')
    const cancellation = new Cancellation()
    cancellation.cancel(new FlotillaError('canceled', 'Gone.'))
    assert.equal((await client.call('read', { cancellation }))?.code, 'canceled')
    assert.equal(client.sent.length, 0)
  })

  it('does not go on retrying for a caller that left', async () => {
    const client = setUp()
    const cancellation = new Cancellation()
    client.answer = () => {
      client.clock.schedule(1, () => cancellation.cancel(new FlotillaError('canceled', 'Gone.')))
      return failure('unavailable', { executed: 'no', retryAfterMs: 20_000 })
    }
    const error = await client.call('write', { cancellation })
    assert.equal(error?.code, 'canceled')
    assert.equal(client.sent.length, 1)
    assert.ok(client.clock.monotonicMs() < 1_000)
  })

  it('retries what is transient and either never began or is idempotent', async () => {
    const attempts = async (name: 'read' | 'write', error: FlotillaError, options: CallOptions = {}) => {
      const client = setUp()
      client.answer = () => error
      await client.call(name, {}, options)
      return client.sent.length
    }
    assert.equal(await attempts('read', failure('unavailable')), 3)
    assert.equal(await attempts('write', failure('unavailable')), 1)
    assert.equal(await attempts('write', failure('unavailable', { executed: 'no' })), 3)
    assert.equal(await attempts('write', failure('unavailable'), { idempotencyKey: 'k' }), 3)
    assert.equal(await attempts('read', failure('internal')), 1)
    assert.equal(await attempts('read', failure('not_found', { executed: 'no' })), 1)
    // Somebody closer to the failure has tried already.
    assert.equal(await attempts('read', failure('unavailable', { executed: 'no', isExhausted: true })), 1)
  })

  it('retries on another instance, and tells callers above that it did', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const client = setUp({ seed })
      client.answer = () => failure('unavailable')
      const error = await client.call('read')
      const [first, second] = client.sent
      assert.notEqual(first?.to, second?.to)
      assert.equal(error?.isExhausted, true)
    }
  })

  it('retries on another instance though that one is slower', async () => {
    const client = setUp()
    client.answer = (to) => {
      client.latencyMs = to === 'b' ? 25_000 : 5
      return undefined
    }
    while (new Set(client.sent.map(({ to }) => to)).size < 2) await client.call('write')
    client.sent.length = 0
    client.answer = (_, nth) => (nth === 1 ? failure('unavailable', { executed: 'no' }) : undefined)
    client.latencyMs = 5
    await client.call('write')
    const [first, second] = client.sent
    assert.ok(second)
    assert.notEqual(first?.to, second.to)
  })

  it('does not claim that nothing ran when an earlier attempt may have', async () => {
    const client = setUp()
    client.answer = (_, nth) => failure('unavailable', { executed: nth === 1 ? 'maybe' : 'no' })
    assert.equal((await client.call('read'))?.executed, 'maybe')
  })

  it('waits a random part of a growing time, and at least what it was asked to', async () => {
    const waits = { first: [] as number[], second: [] as number[] }
    for (let seed = 1; seed <= 200; seed++) {
      const client = setUp({ seed })
      client.answer = () => failure('unavailable', { retryAfterMs: 100 })
      await client.call('read')
      const [a, b, c] = client.sent.map(({ atMs }) => atMs)
      waits.first.push((b as number) - (a as number))
      waits.second.push((c as number) - (b as number))
    }
    for (const [all, most] of [
      [waits.first, 25],
      [waits.second, 50],
    ] as const) {
      assert.ok(Math.min(...all) >= 100 && Math.min(...all) < 100 + most * 0.1)
      assert.ok(Math.max(...all) <= 100 + most && Math.max(...all) > 100 + most * 0.9)
    }
  })

  it('does not wait beyond the deadline for a retry, and keeps the budget for others', async () => {
    const client = setUp({ policies: { calls: { breaker: false } } })
    client.answer = () => failure('unavailable', { executed: 'no', retryAfterMs: 2_000 })
    for (let calls = 0; calls < 20; calls++) await client.call('read')
    assert.equal(client.sent.length, 20)
    client.answer = () => failure('unavailable')
    await client.call('read')
    assert.equal(client.sent.length, 23)
  })

  it('makes at most a tenth more calls by retrying, and one a second', async () => {
    const client = setUp()
    client.answer = () => failure('unavailable')
    await Promise.all(Array.from({ length: 1_000 }, () => client.call('read')))
    const retries = client.sent.length - 1_000
    assert.ok(retries >= 100 && retries <= 110, `${retries} retries`)
  })

  it('leaves a failing instance alone, and finds out later that it is well again', async () => {
    const client = setUp()
    const callsTo = (instance: string): number => client.sent.filter(({ to }) => to === instance).length
    client.answer = () => failure('internal')
    while (callsTo('a') < 5 || callsTo('b') < 5) await client.call('read')
    // Both are left alone now, so both are used; the first success singles b out.
    client.answer = (to) => (to === 'a' ? failure('internal') : undefined)
    while ((await client.call('read')) !== undefined) assert.ok(client.sent.length < 1_000)
    const failed = callsTo('a')
    for (let calls = 0; calls < 100; calls++) await client.call('read')
    assert.equal(callsTo('a'), failed)
    client.answer = () => undefined
    client.latencyMs = 5
    for (let calls = 0; calls < 100; calls++) {
      await client.clock.advance(10_000)
      await client.call('read')
    }
    assert.ok(callsTo('a') > failed + 1)
  })

  it('gives fewer calls to an instance that has too much to do, but does not leave it alone', async () => {
    const client = setUp({ instances: ['a'] })
    const overloaded = failure('unavailable', { executed: 'no', isOverloaded: true, retryAfterMs: 100 })
    client.answer = () => overloaded
    for (let calls = 0; calls < 20; calls++) await client.call('read')
    assert.deepEqual(client.reported, [])
    client.instances = ['a', 'b'].map(instanceOf)
    client.answer = () => undefined
    client.latencyMs = 20
    while (!client.sent.some(({ to }) => to === 'b')) await client.call('read')
    const shareOf = async (): Promise<number> => {
      client.sent.length = 0
      await Promise.all(Array.from({ length: 300 }, () => client.call('read')))
      return client.sent.filter(({ to }) => to === 'a').length / 300
    }
    const share = await shareOf()
    assert.ok(share > 0.05 && share < 0.45, `${share}`)
    for (let seconds = 0; seconds < 60; seconds++) {
      await client.clock.advance(1_000)
      await shareOf()
    }
    assert.ok((await shareOf()) > 0.4)
  })

  it('tries another instance when one has too much to do, after the wait that one asked for', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const client = setUp({ seed })
      client.answer = (_, nth) =>
        nth === 1
          ? failure('unavailable', { executed: 'no', isOverloaded: true, retryAfterMs: 100 })
          : undefined
      assert.equal(await client.call('write'), undefined)
      const [first, second, ...more] = client.sent
      assert.ok(first && second && more.length === 0)
      assert.notEqual(first.to, second.to)
      assert.ok(second.atMs - first.atMs >= 100 && second.atMs - first.atMs <= 125)
    }
  })

  it('connects to another instance when one cannot be reached, and reports it', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const client = setUp({ seed })
      client.unreachable.add('a')
      assert.equal(await client.call('write'), undefined)
      assert.equal(client.sent[0]?.to, 'b')
      assert.deepEqual(new Set(client.reported), new Set(client.reported.length > 0 ? ['a'] : []))
    }
  })

  it('connects to every instance where they take turns', async () => {
    const client = setUp({
      instances: ['a', 'b', 'c', 'd'],
      policies: { balance: { policy: 'round_robin' } },
    })
    for (let calls = 0; calls < 8; calls++) await client.call('read')
    assert.equal(client.sent.map(({ to }) => to).join(''), 'abcdabcd')
  })

  it('waits for an instance to come back, but two seconds at most', async () => {
    const back = setUp({ instances: [] })
    back.clock.schedule(1_500, () => {
      back.instances = [instanceOf('a')]
    })
    assert.equal(await back.call('write'), undefined)
    const away = setUp({ instances: [] })
    const error = await away.call('write')
    assert.equal(error?.code, 'unavailable')
    assert.equal(error.executed, 'no')
    assert.ok(away.clock.monotonicMs() >= 2_000 && away.clock.monotonicMs() < 2_300)
    // It is known to be away: the next one does not wait.
    const startMs = away.clock.monotonicMs()
    await away.call('write')
    assert.ok(away.clock.monotonicMs() - startMs <= 200)
  })

  it('takes a callee that cannot be reached for one that failed: its own callers see neither name nor address', async () => {
    const lost = new FlotillaError('unavailable', 'No answer from callee at 10.0.0.7.', { executed: 'maybe' })
    const away = setUp({ instances: [] })
    const unreachable = setUp({ instances: ['a'] })
    unreachable.unreachable.add('a')
    const broken = setUp({ instances: ['a'] })
    broken.answer = () => lost
    for (const { call } of [away, unreachable, broken]) {
      const error = await call('write')
      assert.ok(error?.isRemote)
      const seen = asSeenUpstream(error, {})
      assert.deepEqual(seen.toBody(), {
        code: 'unavailable',
        message: 'A service this one depends on failed.',
        executed: 'maybe',
        isExhausted: true,
      })
    }
    // What does not begin because its time is up is the callee's failure too.
    const late = await setUp().call('read', { deadlineMs: 0 })
    assert.equal(asSeenUpstream(late, {}).message, 'The answer did not come in time.')
  })

  it('waits for a connection no longer than its deadline, and not for a caller that left', async () => {
    const client = setUp()
    client.connecting = new Promise(() => {})
    const late = await client.call('read')
    assert.equal(`${late?.code} ${late?.executed}`, 'deadline_exceeded no')
    assert.equal(client.clock.monotonicMs(), 1_000)
    const cancellation = new Cancellation()
    client.clock.schedule(50, () => cancellation.cancel(new FlotillaError('canceled', 'Gone.')))
    assert.equal((await client.call('read', { cancellation }))?.code, 'canceled')
    assert.equal(client.clock.monotonicMs(), 1_050)
    assert.deepEqual(client.reported, [])
    assert.equal(client.clock.pending, 0)
  })

  it('refuses at once while half of the calls of an operation fail, and of that operation only', async () => {
    const client = setUp()
    client.answer = () => failure('internal')
    for (let calls = 0; calls < 20; calls++) await client.call('read')
    const sent = client.sent.length
    const error = await client.call('read')
    assert.deepEqual([error?.code, error?.executed, error?.reason], ['unavailable', 'no', 'breaker_open'])
    assert.ok((error?.retryAfterMs ?? 0) > 0)
    assert.equal(client.sent.length, sent)
    client.answer = () => undefined
    assert.equal(await client.call('write'), undefined)
    await client.clock.advance(1_200)
    for (let calls = 0; calls < 5; calls++) assert.equal(await client.call('read'), undefined)
    assert.equal(await client.call('read'), undefined)
  })

  it('does not hold a restart against a callee: who is not reached, or is lost, opens no breaker', async () => {
    const client = setUp({ instances: ['a'], policies: { retries: { ratio: 0, floorPerSec: 0 } } })
    // Lost on the way: not what the callee answered.
    client.answer = () => new FlotillaError('unavailable', 'The connection broke.')
    for (let calls = 0; calls < 30; calls++) assert.equal((await client.call('read'))?.code, 'unavailable')
    client.instances = []
    for (let calls = 0; calls < 30; calls++) assert.equal((await client.call('read'))?.code, 'unavailable')
    client.answer = () => undefined
    client.instances = [instanceOf('b')]
    for (let calls = 0; calls < 30; calls++) assert.equal(await client.call('read'), undefined)
  })

  it('does not believe a time limit that nothing could have kept', async () => {
    const client = setUp()
    client.latencyMs = 20
    client.answer = () => new FlotillaError('deadline_exceeded', 'Too late.')
    for (let calls = 0; calls < 50; calls++) await client.call('write', {}, { timeoutMs: 20 })
    assert.deepEqual(client.reported, [])
    client.answer = () => undefined
    assert.equal(await client.call('write'), undefined)
  })

  it('has no more calls on their way than the policy says', async () => {
    const client = setUp({ policies: { calls: { inFlightMax: 5 } } })
    client.latencyMs = 100
    const errors = await Promise.all(Array.from({ length: 8 }, () => client.call('read')))
    assert.equal(client.sent.length, 5)
    assert.equal(errors.filter((error) => error?.reason === 'bulkhead_full').length, 3)
    assert.equal(await client.call('read'), undefined)
  })
})
