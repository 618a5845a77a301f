/**
 * What `wire.ts` promises, asked of every wire with the same assertions. Where a wire cannot, the case says why.
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { describe, it } from 'node:test'
import { Cancellation } from '../kernel/cancellation.ts'
import { systemClock } from '../kernel/clock.ts'
import { type ErrorBody, FlotillaError, isFlotillaError } from '../kernel/error.ts'
import { systemRandom } from '../kernel/random.ts'
import { TraceContext } from '../kernel/trace-context.ts'
import { openTcpProxy } from '../testing/tcp-proxy.ts'
import { until } from '../testing/until.ts'
import type { CallRequest, Channel, Reply } from './wire.ts'
import {
  call,
  type OpenWire,
  probeContract,
  requestOf,
  type TestContext,
  testUser,
  type Wire,
  wires,
} from './wires.test.ts'

const { echo, replay, refuse, inflate, hold, stick, follow, missing } = probeContract.operations
const LIMIT_BYTES = 4 * 1024 * 1024

/** Why a wire is not asked: it has nothing of the kind. */
type Reasons = Partial<Record<Wire['name'], string>>
const inProcess = (why: string): Reasons => ({ direct: why })
const framesOnly = (why: string): Reasons => ({ direct: why, HTTP: why })

/** One case, for every wire that can. */
function onEveryWire(
  name: string,
  cannot: Reasons,
  test: (open: OpenWire, channel: Channel, t: TestContext) => Promise<void>,
): void {
  describe(name, () => {
    for (const wire of wires.filter(({ name: wireName }) => cannot[wireName] === undefined)) {
      it(wire.name, async (t) => {
        const open = await wire.open(t)
        await test(open, await open.connect(), t)
      })
    }
  })
}

function outputOf(reply: Reply): unknown {
  if (reply.error !== undefined) throw reply.error
  return reply.output
}

function errorOf(reply: Reply): FlotillaError {
  assert.ok(reply.error !== undefined, 'expected an error')
  return reply.error
}

const echoed = async (channel: Channel, input: unknown): Promise<unknown> =>
  outputOf(await call(channel, requestOf(echo, input)))

/** Reads a stream to its end; gives what came before an error, and the error. */
async function readAll(items: AsyncIterable<unknown>): Promise<{ indexes: number[]; error: unknown }> {
  const indexes: number[] = []
  try {
    for await (const item of items) indexes.push((item as { index: number }).index)
  } catch (error) {
    return { indexes, error }
  }
  return { indexes, error: undefined }
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

/** Resolves when something that runs by itself has stopped running: it stands still over many turns of the event loop. */
async function standsStill(channel: Channel, count: () => number): Promise<void> {
  for (let quietTurns = 0, last = count(); quietTurns < 25; last = count()) {
    await echoed(channel, {})
    quietTurns = count() === last ? quietTurns + 1 : 0
  }
}

describe('calls', () => {
  onEveryWire('values arrive as they were, empty and big, both ways', {}, async (_open, channel) => {
    const values = [
      {},
      { text: '', list: [], object: {}, nothing: null, yes: true, no: false },
      { numbers: [0, -1, 1.5, 1e300, -1e-300, 2 ** 53 - 1, -(2 ** 31), 2 ** 32] },
      { text: 'Zoë 😀 \u0001\u2028"\\', 'a key': { ключ: [[[{ deep: 1 }]]] } },
      { text: 'ab'.repeat(1_000_000), list: numbers(50_000) },
    ]
    for (const value of values) assert.deepEqual(await echoed(channel, value), value)
  })

  onEveryWire(
    'what a browser would keep or go to, or a client has proven, arrives like all else',
    {},
    async (_open, channel) => {
      const value = { kept: 'x', to: 'https://other.test' }
      const { leave, bind } = probeContract.operations
      assert.deepEqual(outputOf(await call(channel, requestOf(leave, value))), value)
      const proven = { key: 'k' }
      assert.deepEqual(outputOf(await call(channel, requestOf(bind, proven))), proven)
    },
  )

  onEveryWire('objects of one shape and of changing shapes keep their fields', {}, async (_open, channel) => {
    for (let round = 0; round < 100; round++) {
      const value = { [`field${round % 7}`]: round, same: { a: 1, [`b${round % 3}`]: null } }
      assert.deepEqual(await echoed(channel, value), value)
    }
  })

  onEveryWire('a caller that passes the output on may get its JSON', {}, async (_open, channel) => {
    const reply = await call(channel, requestOf(echo, { a: [1, 'ü'] }, { wantsJson: true }))
    const json = reply.json === undefined ? reply.output : JSON.parse(Buffer.from(reply.json).toString())
    assert.deepEqual(json, { a: [1, 'ü'] })
  })

  onEveryWire('an error keeps all it says', {}, async (_open, channel) => {
    const bodies: ErrorBody[] = [
      { code: 'unavailable', message: 'Full.', executed: 'no', retryAfterMs: 40, isOverloaded: true },
      {
        code: 'aborted',
        message: 'Changed.',
        executed: 'maybe',
        reason: 'price_changed',
        status: 409,
        data: { price: [5] },
      },
      {
        code: 'resource_exhausted',
        message: 'Enough.',
        executed: 'maybe',
        isExhausted: true,
        retryAfterMs: 2_500,
      },
      {
        code: 'invalid_argument',
        message: 'Bad.',
        executed: 'no',
        issues: [{ pointer: '/a', message: 'is required' }],
      },
      { code: 'internal', message: 'Zoë.', executed: 'maybe' },
    ]
    for (const body of bodies) {
      const error = errorOf(await call(channel, requestOf(refuse, body)))
      const expected = FlotillaError.fromBody(body)
      assert.deepEqual({ ...error.toBody(), status: error.status }, { ...body, status: expected.status })
      assert.equal(error.isRemote, true)
    }
  })

  onEveryWire('an answer tells that it is a repeat', {}, async (_open, channel) => {
    assert.equal((await call(channel, requestOf(replay, {}))).isReplayed, true)
    assert.equal((await call(channel, requestOf(echo, {}))).isReplayed, false)
  })

  onEveryWire('an unknown operation is refused, unexecuted', {}, async (_open, channel) => {
    const { code, executed } = errorOf(await call(channel, requestOf(missing, {})))
    assert.deepEqual([code, executed], ['unimplemented', 'no'])
    assert.deepEqual(await echoed(channel, {}), {})
  })

  onEveryWire(
    'many calls on their way are answered out of order, each its own',
    {},
    async (open, channel) => {
      const replies = numbers(50).map((n) => call(channel, requestOf(hold, { n })))
      await until('all have arrived', () => open.probe.held.length === 50)
      const shuffled = [...open.probe.held].sort((a, b) => orderOf(a.request) - orderOf(b.request))
      for (const { release } of shuffled) release()
      assert.deepEqual(
        (await Promise.all(replies)).map(outputOf),
        numbers(50).map((n) => ({ n })),
      )
      function orderOf({ input }: CallRequest): number {
        return ((input as { n: number }).n * 37) % 50
      }
    },
  )

  onEveryWire('the context travels', {}, async (open, channel) => {
    const sent = requestOf(
      echo,
      {},
      {
        caller: { service: 'cart', user: testUser, token: open.trust.token(testUser) },
        trace: TraceContext.start(systemRandom, true),
        criticality: 'sheddable',
        requestId: 'r-17',
        idempotencyKey: 'key ~ 1',
        timeoutMs: 8_000,
      },
    )
    outputOf(await call(channel, sent))
    const [seen] = open.probe.requests as [CallRequest]
    const { caller, trace, criticality, requestId, idempotencyKey } = seen
    assert.deepEqual(
      { caller, criticality, requestId, idempotencyKey, trace: trace.toString() },
      {
        caller: sent.caller,
        criticality: 'sheddable',
        requestId: 'r-17',
        idempotencyKey: 'key ~ 1',
        trace: sent.trace.toString(),
      },
    )
    const leftMs = seen.deadlineMs - systemClock.monotonicMs()
    assert.ok(leftMs > 1_000 && leftMs <= 8_000, `${leftMs} ms left`)
    outputOf(await call(channel, requestOf(echo, {})))
    assert.deepEqual(open.probe.requests[1]?.caller, {})
    assert.equal(open.probe.requests[1]?.idempotencyKey, undefined)
  })
})

describe('ends', () => {
  onEveryWire(
    'a call that is given up is settled with the reason, and the receiver hears of it',
    {},
    async (open, channel) => {
      const cancellation = new Cancellation()
      const reply = call(channel, requestOf(hold, {}, { cancellation }))
      await until('it has arrived', () => open.probe.held.length === 1)
      cancellation.cancel(new FlotillaError('canceled', 'Enough.'))
      assert.equal(errorOf(await reply).message, 'Enough.')
      await until(
        'the receiver knows',
        () => open.probe.held[0]?.request.cancellation.error?.code === 'canceled',
      )
      assert.deepEqual(await echoed(channel, {}), {})
    },
  )

  const receivers = inProcess(
    'deadline and cancellation are the very objects of the caller; the receiver looks',
  )

  onEveryWire('a call given up before it is sent is not sent', receivers, async (open, channel) => {
    const cancellation = new Cancellation()
    cancellation.cancel(new FlotillaError('canceled', 'Enough.', { executed: 'no' }))
    assert.equal(errorOf(await call(channel, requestOf(echo, {}, { cancellation }))).message, 'Enough.')
    assert.equal(
      (await readAll(channel.stream(requestOf(follow, { items: 1 }, { cancellation })))).error,
      cancellation.error,
    )
    assert.equal(open.probe.requests.length, 0)
  })

  onEveryWire('a call whose time is up is not sent', receivers, async (open, channel) => {
    const { code, executed } = errorOf(await call(channel, requestOf(echo, {}, { timeoutMs: -1 })))
    assert.deepEqual([code, executed], ['deadline_exceeded', 'no'])
    assert.equal(open.probe.requests.length, 0)
  })

  onEveryWire(
    'a call whose answer does not come in time ends, at both sides',
    receivers,
    async (open, channel) => {
      const { code, executed, isRemote } = errorOf(
        await call(channel, requestOf(stick, {}, { timeoutMs: 80 })),
      )
      assert.deepEqual([code, executed, isRemote], ['deadline_exceeded', 'maybe', false])
      await until('the receiver knows', () => open.probe.requests[0]?.cancellation.error !== undefined)
      const { error } = await readAll(
        channel.stream(requestOf(follow, { items: 2, after: 'wait' }, { timeoutMs: 80 })),
      )
      assert.equal((error as FlotillaError).code, 'deadline_exceeded')
      await until('the stream has ended', () => open.probe.endedStreams === 1)
      assert.deepEqual(await echoed(channel, {}), {})
    },
  )

  onEveryWire(
    'a peer that dies leaves calls unavailable, maybe executed',
    inProcess('dies together'),
    async (open, channel) => {
      const reply = call(channel, requestOf(hold, {}))
      const items = channel.stream(requestOf(follow, { items: 2, after: 'wait' }))[Symbol.asyncIterator]()
      await items.next()
      await items.next()
      await until('it has arrived', () => open.probe.held.length === 1)
      await open.crash()
      const { code, executed, isRemote } = errorOf(await reply)
      assert.deepEqual([code, executed, isRemote], ['unavailable', 'maybe', false])
      await assert.rejects(items.next(), { code: 'unavailable', executed: 'maybe' })
      await until('a next call is refused, unexecuted', async () => {
        const error = errorOf(await call(channel, requestOf(echo, {})))
        return error.code === 'unavailable' && error.executed === 'no'
      })
    },
  )

  onEveryWire(
    'a caller that dies ends its calls at the receiver',
    { direct: 'dies together', 'frames on a Unix socket': 'the proxy speaks TCP' },
    async (open, _channel, t) => {
      let cut = (): void => {}
      const proxied = await openTcpProxy(t, `http://127.0.0.1:${open.port}`, {
        onClientData(chunk, { client, server }) {
          cut = () => client.destroy()
          server.write(chunk)
        },
      })
      const channel = await open.connect({ port: Number(new URL(proxied).port) })
      const reply = call(channel, requestOf(hold, {}))
      await until('it has arrived', () => open.probe.held.length === 1)
      cut()
      await until('the receiver knows', () => open.probe.held[0]?.request.cancellation.error !== undefined)
      assert.equal(errorOf(await reply).code, 'unavailable')
    },
  )

  onEveryWire(
    'a server that says goodbye answers what is on its way and nothing new',
    inProcess('goes down with its process'),
    async (open, channel) => {
      const reply = call(channel, requestOf(hold, { n: 1 }))
      const items = channel.stream(requestOf(follow, { items: 1, after: 'wait' }))[Symbol.asyncIterator]()
      await items.next()
      await until('it has arrived', () => open.probe.held.length === 1)
      const drained = open.drain()
      await assert.rejects(items.next(), { code: 'unavailable' })
      await until('a next call is refused, unexecuted', async () => {
        const { error } = await call(channel, requestOf(echo, {}))
        return error?.code === 'unavailable' && error.executed === 'no'
      })
      open.probe.held[0]?.release()
      assert.deepEqual(outputOf(await reply), { n: 1 })
      await drained
    },
  )

  onEveryWire(
    'a channel that is closed ends what is on its way and takes nothing new',
    inProcess('has nothing to close'),
    async (open, channel) => {
      const reply = call(channel, requestOf(hold, { n: 1 }))
      await until('it has arrived', () => open.probe.held.length === 1)
      const closed = channel.close()
      assert.equal(channel.isOpen, false)
      const { code, executed } = errorOf(await call(channel, requestOf(echo, {})))
      assert.deepEqual([code, executed], ['unavailable', 'no'])
      open.probe.held[0]?.release()
      assert.deepEqual(outputOf(await reply), { n: 1 })
      await closed
    },
  )
})

describe('streams', () => {
  onEveryWire('items come in order, and then the end', {}, async (_open, channel) => {
    for (const items of [0, 1, 63, 64, 65, 1_000]) {
      const { indexes, error } = await readAll(channel.stream(requestOf(follow, { items })))
      assert.equal(error, undefined)
      assert.deepEqual(indexes, numbers(items))
    }
  })

  onEveryWire('streams and calls share a channel', {}, async (_open, channel) => {
    const streams = numbers(8).map((n) => readAll(channel.stream(requestOf(follow, { items: 100 + n }))))
    const calls = numbers(30).map((n) => echoed(channel, { n }))
    const lengths = (await Promise.all(streams)).map(({ indexes }) => indexes.length)
    assert.deepEqual(
      lengths,
      numbers(8).map((n) => 100 + n),
    )
    assert.deepEqual(
      await Promise.all(calls),
      numbers(30).map((n) => ({ n })),
    )
  })

  onEveryWire('an error ends a stream, after its items', {}, async (_open, channel) => {
    const after: ErrorBody = {
      code: 'aborted',
      message: 'Gone.',
      executed: 'maybe',
      reason: 'moved',
      data: { to: 'x' },
      retryAfterMs: 30,
    }
    for (const items of [0, 3, 200]) {
      const { indexes, error } = await readAll(channel.stream(requestOf(follow, { items, after })))
      assert.deepEqual(indexes, numbers(items))
      assert.ok(isFlotillaError(error) && error.isRemote)
      assert.deepEqual({ ...error.toBody(), status: 0 }, { ...after, status: 0 })
    }
  })

  onEveryWire('the producer waits for the reader, however slow', {}, async (open, channel) => {
    const items = channel.stream(requestOf(follow, { items: 3_000, filling: 65_536 }))[Symbol.asyncIterator]()
    await items.next()
    await standsStill(channel, () => open.probe.producedItems)
    assert.ok(open.probe.producedItems < 500, `${open.probe.producedItems} items made, one taken`)
    for (let index = 1; index < 1_000; index++) {
      const { value } = await items.next()
      assert.equal((value as { index: number }).index, index)
    }
    await items.return?.()
    await until('it has ended', () => open.probe.endedStreams === 1)
    assert.ok(open.probe.producedItems < 1_500)
  })

  onEveryWire('leaving the loop ends the stream at its source', {}, async (open, channel) => {
    for await (const _item of channel.stream(requestOf(follow, { items: 3, after: 'wait' }))) break
    for await (const item of channel.stream(requestOf(follow, { items: 3, after: 'wait' }))) {
      if ((item as { index: number }).index === 2) break
    }
    await until('both have ended', () => open.probe.endedStreams === 2)
    assert.deepEqual(await echoed(channel, {}), {})
  })

  onEveryWire('a stream that is given up throws the reason', {}, async (open, channel) => {
    const cancellation = new Cancellation()
    const items = channel
      .stream(requestOf(follow, { items: 1, after: 'wait' }, { cancellation }))
      [Symbol.asyncIterator]()
    await items.next()
    const next = items.next()
    cancellation.cancel(new FlotillaError('canceled', 'Enough.'))
    await assert.rejects(next, { code: 'canceled', message: 'Enough.' })
    await until('it has ended', () => open.probe.endedStreams === 1)
  })
})

describe('sizes', () => {
  const boundless = inProcess('no bytes move')

  onEveryWire(
    'an input that is too long is refused, unexecuted, and disturbs nobody',
    boundless,
    async (open, channel) => {
      const other = call(channel, requestOf(hold, { n: 1 }))
      const input = { filling: 'x'.repeat(LIMIT_BYTES) }
      const { code, executed, isExhausted } = errorOf(await call(channel, requestOf(echo, input)))
      assert.deepEqual([code, executed, isExhausted], ['resource_exhausted', 'no', true])
      assert.deepEqual(await echoed(channel, { shape: 1 }), { shape: 1 })
      open.probe.held[0]?.release()
      assert.deepEqual(outputOf(await other), { n: 1 })
    },
  )

  onEveryWire(
    'an output, error or item that is too long is an error of the callee, and disturbs nobody',
    boundless,
    async (open, channel) => {
      const other = call(channel, requestOf(hold, { n: 1 }))
      await until('it has arrived', () => open.probe.held.length === 1)
      const tooLong = [{ bytes: LIMIT_BYTES }, { bytes: LIMIT_BYTES, asError: true }]
      for (const input of tooLong) {
        const { code, executed, isRemote } = errorOf(await call(channel, requestOf(inflate, input)))
        assert.deepEqual([code, executed, isRemote], ['internal', 'maybe', true])
      }
      const { indexes, error } = await readAll(
        channel.stream(requestOf(follow, { items: 3, filling: LIMIT_BYTES })),
      )
      assert.deepEqual([indexes, (error as FlotillaError).code], [[], 'internal'])
      assert.equal((error as FlotillaError).isRemote, true)
      await until('the stream has ended', () => open.probe.endedStreams === 1)
      assert.deepEqual(await echoed(channel, { shape: 1 }), { shape: 1 })
      open.probe.held[0]?.release()
      assert.deepEqual(outputOf(await other), { n: 1 })
    },
  )

  onEveryWire('what is just short enough passes', boundless, async (_open, channel) => {
    const input = { filling: 'x'.repeat(LIMIT_BYTES - 1_000) }
    assert.deepEqual(await echoed(channel, input), input)
    const reply = await call(channel, requestOf(inflate, { bytes: LIMIT_BYTES - 1_000 }))
    assert.deepEqual(outputOf(reply), input)
  })
})

describe('trust', () => {
  const sameProcess = inProcess('caller and callee are one process')

  onEveryWire('a process that cannot prove what it runs is refused', sameProcess, async (open) => {
    for (const credential of [`${open.trust.credential(['cart'])}x`, open.trust.credential(['cart'], -1)]) {
      const stranger = await new Promise<Channel | FlotillaError>((resolve) => {
        open.connect({ credential }).then(resolve, resolve)
      })
      const error = isFlotillaError(stranger)
        ? stranger
        : errorOf(await call(stranger, requestOf(echo, {}, { caller: { service: 'cart' } })))
      assert.deepEqual([error.code, error.executed], ['unauthenticated', 'no'])
    }
    assert.equal(open.probe.requests.length, 0)
  })

  onEveryWire('a process speaks for no service but its own', sameProcess, async (open, channel) => {
    for (const service of ['bank', 'unheard-of']) {
      const { code, executed } = errorOf(await call(channel, requestOf(echo, {}, { caller: { service } })))
      assert.deepEqual([code, executed], ['permission_denied', 'no'])
    }
    assert.equal(open.probe.requests.length, 0)
  })

  onEveryWire('a user token is believed only if genuine', sameProcess, async (open, channel) => {
    const [claims] = open.trust.token(testUser).split('.') as [string]
    const forged = [`${claims}.${'A'.repeat(86)}`, claims, 'x', open.trust.credential(['cart'])]
    for (const token of forged) {
      const { code, executed } = errorOf(await call(channel, requestOf(echo, {}, { caller: { token } })))
      assert.deepEqual([code, executed], ['unauthenticated', 'no'])
    }
    assert.equal(open.probe.requests.length, 0)
    outputOf(await call(channel, requestOf(echo, {}, { caller: { token: open.trust.token(testUser) } })))
    assert.deepEqual(open.probe.requests[0]?.caller.user, testUser)
  })
})

describe('more calls at once than a connection takes', () => {
  const unasked = framesOnly('there is no such bound: the callee has its own')

  for (const wire of wires.filter(({ name }) => unasked[name] === undefined)) {
    it(wire.name, async (t) => {
      const open = await wire.open(t, { inFlightMax: 2 })
      // The caller would make more, and goes by the server's word.
      const channel = await open.connect({ limits: { inFlightMax: 100 } })
      const replies = [1, 2].map((n) => call(channel, requestOf(hold, { n })))
      const { code, executed } = errorOf(await call(channel, requestOf(echo, {})))
      assert.deepEqual([code, executed], ['unavailable', 'no'])
      await until('both have arrived', () => open.probe.held.length === 2)
      for (const { release } of open.probe.held) release()
      assert.deepEqual((await Promise.all(replies)).map(outputOf), [{ n: 1 }, { n: 2 }])
      assert.deepEqual(await echoed(channel, {}), {})
    })
  }
})

describe('a connection that is dead without saying so', () => {
  const unasked: Reasons = {
    ...framesOnly('connections are not watched; a deadline ends each call'),
    'frames on a Unix socket': 'has no network to be cut',
  }

  for (const wire of wires.filter(({ name }) => unasked[name] === undefined)) {
    it(wire.name, async (t) => {
      const open = await wire.open(t, { pingMs: 50 })
      let isCut = false
      let moves = 0
      const passOn = (chunk: Buffer, to: Socket): void => {
        moves++
        if (!isCut) to.write(chunk)
      }
      const proxied = await openTcpProxy(t, `http://127.0.0.1:${open.port}`, {
        onClientData: (chunk, { server }) => passOn(chunk, server),
        onServerData: (chunk, { client }) => passOn(chunk, client),
      })
      const channel = await open.connect({ port: Number(new URL(proxied).port) })
      const reply = call(channel, requestOf(hold, {}))
      await until('it has arrived', () => open.probe.held.length === 1)
      // Silence alone is no death: both sides go on asking and answering.
      const before = moves
      await until('they have asked several times', () => moves >= before + 8)
      assert.equal(channel.isOpen, true)
      isCut = true
      const { code, executed, isRemote } = errorOf(await reply)
      assert.deepEqual([code, executed, isRemote], ['unavailable', 'maybe', false])
      assert.equal(channel.isOpen, false)
      await until('the receiver knows', () => open.probe.held[0]?.request.cancellation.error !== undefined)
    })
  }
})
