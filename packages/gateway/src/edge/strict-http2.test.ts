import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { systemClock } from '@flotilla/core/clock'
import { until } from '@flotilla/core/until'
import {
  block,
  END_HEADERS,
  END_STREAM,
  frame,
  goAwayCode,
  headers,
  number,
  type Received,
  reset,
  resetCode,
  speak,
  statusOf,
} from './frames.test.ts'
import { openOnce } from './open-once.test.ts'
import { clientsOf, makeFiles, type Secure } from './open-secure-gateway.test.ts'
import { openStrictGateway, type StrictGateway } from './strict-gateway.test.ts'
import { BODY, but, ended, GET, JSON_TYPE, POST, post, refused, without } from './strict-http2-cases.test.ts'
import { get } from './strict-requests.test.ts'

/** Of the slow ones; the others have all the time they need. */
const HEAD_MS = 500
const REQUEST_MS = 3 * HEAD_MS
const LATE_MS = 8_000
const PROTOCOL_ERROR = 1
const INTERNAL_ERROR = 2
const CANCEL = 8
const ENHANCE_YOUR_CALM = 11

interface Strict extends StrictGateway, Secure {}

async function openStrict(
  t: { after(cleanUp: () => Promise<void>): void },
  environment: Readonly<Record<string, string>>,
): Promise<Strict> {
  const files = await makeFiles(t)
  const gateway = await openStrictGateway(t, {
    ...files.environment,
    ...environment,
  })
  return { ...gateway, ...clientsOf(() => gateway.port, files) }
}

/** Sends, and waits until it is clear what came of it. */
async function tell(
  { socket }: Strict,
  what: string,
  bytes: Buffer,
  isClear: (received: Received) => boolean,
): Promise<Received> {
  const opened = await socket()
  try {
    const received = speak(opened, bytes)
    await until(what, () => isClear(received()))
    return received()
  } finally {
    opened.destroy()
  }
}

describe('A request of HTTP/2', { timeout: 120_000 }, () => {
  const gateway = openOnce(openStrict)

  for (const [what, [verdict, bytes]] of Object.entries(refused)) {
    it(`is refused for ${what}`, async () => {
      const its = gateway()
      its.calls.length = 0
      // What is reset by us is not reset by them; that they have heard of it shows by the next answer.
      const isOurs = what.includes('is reset')
      const following = headers(3, but(GET, [':path', '/nothing']))
      const received = await tell(
        its,
        'it is refused, and what follows is answered',
        Buffer.concat([bytes, following]),
        (now) =>
          statusOf(now, 3) !== 0 && (isOurs || resetCode(now, 1) !== undefined || statusOf(now, 1) !== 0),
      )
      if (verdict !== 'reset') assert.equal(statusOf(received, 1), verdict)
      else if (!isOurs) assert.ok([PROTOCOL_ERROR, ENHANCE_YOUR_CALM].includes(resetCode(received, 1) ?? 0))
      assert.equal(statusOf(received, 3), 404, 'the connection goes on')
      assert.deepEqual(its.calls, [], 'no service hears of it')
    })
  }

  it('ends its connection where nobody knows what follows', async (t) => {
    const its = gateway()
    its.calls.length = 0
    const all = Object.entries(ended).map(async ([what, bytes]) => {
      const socket = await its.socket()
      t.after(() => socket.destroy())
      const received = speak(socket, bytes, headers(101, GET))
      await until(`${what} has ended it`, () => received().isClosed || goAwayCode(received()) !== undefined)
      assert.notEqual(goAwayCode(received()), 0, what)
      return () => assert.equal(statusOf(received(), 101), 0, what)
    })
    for (const isUnheard of await Promise.all(all)) isUnheard()
    assert.deepEqual(its.calls, [])
  })

  it('is not taken when it is taken back within its body, for whatever reason', async (t) => {
    const its = gateway()
    its.calls.length = 0
    const socket = await its.socket()
    t.after(() => socket.destroy())
    const answered = (stream: number) => () => statusOf(received(), stream) === 200
    const hungUp = (): number =>
      Number(
        /requests_total\{operation="mirror.echo",status="499"\} (\d+)/.exec(
          its.app.hostOf('gateway').metrics.toPrometheus(),
        )?.[1] ?? 0,
      )
    const hungUpBefore = hungUp()
    const received = speak(socket)
    for (const [stream, code] of [0, CANCEL].map((code, index) => [6 * index + 1, code] as const)) {
      socket.write(
        Buffer.concat([headers(stream, [...POST, JSON_TYPE], END_HEADERS), frame('data', 0, stream, BODY)]),
      )
      const [before, after] = [stream + 2, stream + 4]
      // The body has been read when what came later is answered.
      socket.write(headers(before, GET))
      await until('the body is waited for', answered(before))
      socket.write(Buffer.concat([frame('reset', 0, stream, number(code)), headers(after, GET)]))
      await until('it is known', answered(after))
    }
    await until('both are counted', () => hungUp() === hungUpBefore + 2)
    assert.deepEqual(
      its.calls.filter(({ operation }) => operation === 'echo'),
      [],
    )
  })

  it('is not heard on a stream that is over', async () => {
    const its = gateway()
    its.calls.length = 0
    const bytes = [headers(3, GET), headers(1, GET), headers(5, GET)]
    await tell(
      its,
      'it goes on or ends',
      Buffer.concat(bytes),
      (now) => now.isClosed || statusOf(now, 5) !== 0,
    )
    assert.ok(its.calls.length <= 2)
  })

  it('is taken when it is one', async () => {
    const its = gateway()
    const cases: Readonly<Record<string, readonly [seen: object, bytes: Buffer]>> = {
      'with the host too': [{}, headers(1, [...GET, ['host', 'Gateway.test']])],
      'with a host only': [{}, headers(1, [...without(GET, ':authority'), ['host', 'gateway.test']])],
      'with cookies in crumbs, and TE': [
        {},
        headers(1, [...GET, ['cookie', 'a=b'], ['cookie', 'c=d'], ['te', 'trailers']]),
      ],
      'with its length': [{ text: 'a' }, post([...POST, JSON_TYPE, ['content-length', '12']], BODY)],
      'in pieces, without its length': [
        { text: 'a' },
        post([...POST, JSON_TYPE], BODY.subarray(0, 5), BODY.subarray(5), Buffer.alloc(0)),
      ],
      'with trailers': [
        { text: 'a' },
        Buffer.concat([
          headers(1, [...POST, JSON_TYPE], END_HEADERS),
          frame('data', 0, 1, BODY),
          headers(1, [['x-a', '1']]),
        ]),
      ],
      'in two header frames': [
        {},
        Buffer.concat([
          frame('headers', END_STREAM, 1, block(GET).subarray(0, 20)),
          frame('continuation', END_HEADERS, 1, block(GET).subarray(20)),
        ]),
      ],
    }
    for (const [what, [seen, bytes]] of Object.entries(cases)) {
      its.calls.length = 0
      const received = await tell(its, what, bytes, (now) => statusOf(now, 1) !== 0)
      assert.equal(statusOf(received, 1), 200, what)
      assert.deepEqual(
        its.calls.map(({ input }) => input),
        [seen],
        what,
      )
    }
  })

  it('loses a field that none can be, and nothing else', async () => {
    const its = gateway()
    for (const field of [
      ['x-a', 'b\r\nc: d'],
      ['x-a', 'b\0'],
      ['x a', 'b'],
      ['idempotency-key', ' a'],
    ] as const) {
      its.calls.length = 0
      const received = await tell(
        its,
        'it is answered',
        headers(1, [...GET, field]),
        (now) => statusOf(now, 1) !== 0,
      )
      // nghttp2 drops them before anybody sees them.
      assert.equal(statusOf(received, 1), 200)
      assert.deepEqual(
        its.calls.map(({ input }) => input),
        [{}],
      )
    }
  })

  it('is asked for its body', async () => {
    const its = gateway()
    const bytes = headers(1, [...POST, JSON_TYPE, ['expect', '100-continue']], END_HEADERS)
    const received = await tell(its, 'it is asked for', bytes, (now) => statusOf(now, 1) !== 0)
    assert.equal(statusOf(received, 1), 100)
  })
})

describe('A connection of HTTP/2', { timeout: 120_000 }, () => {
  const gateway = openOnce(openStrict)

  const floods: Readonly<Record<string, (index: number) => Buffer>> = {
    'takes its requests back': (index) => Buffer.concat([headers(2 * index + 1, GET), reset(2 * index + 1)]),
    'takes its requests back without a reason': (index) =>
      Buffer.concat([headers(2 * index + 1, GET), reset(2 * index + 1, 0)]),
    'has its requests reset': (index) => headers(2 * index + 1, [...GET, ['connection', 'close']]),
    pings: () => frame('ping', 0, 0, Buffer.alloc(8)),
    'changes its settings': () => frame('settings', 0, 0),
    'sends frames with nothing in them': (index) =>
      index === 0 ? headers(1, [...POST, JSON_TYPE], END_HEADERS) : frame('data', 0, 1),
  }
  for (const [what, part] of Object.entries(floods)) {
    it(`is cut off when it ${what} again and again`, async () => {
      const its = gateway()
      const many = Buffer.concat(Array.from({ length: 300 }, (_, index) => part(index)))
      const received = await tell(its, 'it is closed', many, ({ isClosed }) => isClosed)
      // The word may be lost when what still comes meets a closed door.
      assert.ok([INTERNAL_ERROR, ENHANCE_YOUR_CALM].includes(goAwayCode(received) ?? INTERNAL_ERROR))
      const few = Buffer.concat([
        ...Array.from({ length: 90 }, (_, index) => part(index)),
        headers(1001, GET),
      ])
      await tell(its, 'it is answered', few, (now) => statusOf(now, 1001) === 200)
    })
  }

  it('has a hundred requests at once at the most', async () => {
    const its = gateway()
    const begun = Array.from({ length: 150 }, (_, index) =>
      headers(2 * index + 1, [...POST, JSON_TYPE], END_HEADERS),
    )
    const received = await tell(
      its,
      'those above are refused',
      Buffer.concat(begun),
      (now) => now.isClosed || now.frames.filter(({ kind }) => kind === 'reset').length >= 50,
    )
    assert.equal(resetCode(received, 199), undefined)
    assert.equal(resetCode(received, 201), 7)
  })

  it('counts from before its handshake', async (t) => {
    const its = await openStrict(t, { GATEWAY_CONNECTIONS_PER_ADDRESS_MAX: '2' })
    const idle = [connect(its.port, '127.0.0.1'), connect(its.port, '127.0.0.1')]
    for (const one of idle) t.after(() => one.destroy())
    await until('both are there', () => idle.every(({ readyState }) => readyState === 'open'))
    await assert.rejects(its.socket())
    idle[0]?.destroy()
    await until('there is room again', () =>
      its.socket().then(
        (socket) => socket.destroy() !== undefined,
        () => false,
      ),
    )
  })

  it('gets windows of 64 KiB for a stream and of a mebibyte in all', async () => {
    const its = gateway()
    const received = await tell(its, 'it is told', Buffer.alloc(0), (now) =>
      now.frames.some(({ kind }) => kind === 'window'),
    )
    const grows = received.frames.find(({ kind }) => kind === 'window')?.payload.readUInt32BE(0) ?? 0
    assert.equal(65_535 + grows, 1024 * 1024)
    const settings = received.frames.find(({ kind, flags }) => kind === 'settings' && flags === 0)?.payload
    const pairs = Array.from({ length: (settings?.length ?? 0) / 6 }, (_, index) => [
      settings?.readUInt16BE(6 * index),
      settings?.readUInt32BE(6 * index + 2),
    ])
    const { 2: push, 3: streams, 4: window = 65_535, 6: list } = Object.fromEntries(pairs)
    assert.deepEqual([push, streams, window, list], [0, 100, 65_535, 16_384])
  })

  it('is not spoken in plain text, nor to who did not ask for it', async (t) => {
    const its = gateway()
    const plain = await openStrictGateway(t)
    assert.doesNotMatch(await plain.raw(get('Connection: close\r\n')), /strict-transport-security/)
    assert.match(await plain.raw(`PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`), /^HTTP\/1\.1 505 /)
    const upgrade =
      'GET /api/v1/seen HTTP/1.1\r\nHost: a\r\nConnection: upgrade, http2-settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n'
    assert.match(await plain.raw(upgrade), /^HTTP\/1\.1 501 /)
    const other = await its.socket({ alpn: ['http/1.1'] })
    const text = await new Promise<string>((resolve) => {
      other.on('data', (chunk) => resolve(String(chunk)))
      other.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
    })
    assert.match(text, /^HTTP\/1\.1 505 /)
    other.destroy()
    await assert.rejects(its.socket({ alpn: ['h3'] }))
  })
})

describe('A slow client of HTTP/2', { timeout: 60_000, concurrency: 2 }, () => {
  const gateway = openOnce(openStrict, { GATEWAY_HEAD_TIMEOUT_MS: String(HEAD_MS) })

  it('is closed when its time is up', async (t) => {
    const its = gateway()
    const open = async (...parts: readonly Buffer[]): Promise<() => Received & { tookMs: number }> => {
      // The gateway counts from when it has shaken hands, of which we may hear late.
      const startMs = systemClock.monotonicMs()
      const socket = await its.socket()
      t.after(() => socket.destroy())
      const received = speak(socket, ...parts)
      return () => ({ ...received(), tookMs: (received().closedAtMs ?? startMs) - startMs })
    }
    const silent = await open()
    const half = await open(frame('headers', END_STREAM, 1, block(GET)))
    const body = await open(
      headers(1, [...POST, JSON_TYPE], END_HEADERS),
      frame('data', 0, 1, BODY.subarray(0, 3)),
    )
    const deaf = await open(headers(1, but(GET, [':path', '/api/v1/long'])))
    const stillborn = await shakeNoHands(t, its.port)
    await until(
      'all are over',
      () =>
        stillborn() !== undefined &&
        [silent, half, deaf].every((one) => one().isClosed) &&
        statusOf(body(), 1) !== 0,
      REQUEST_MS + LATE_MS,
    )
    assert.ok((stillborn() ?? 0) >= HEAD_MS / 2)
    for (const one of [silent, half]) assert.ok(one().tookMs >= HEAD_MS / 2)
    assert.equal(statusOf(body(), 1), 408)
    assert.ok(deaf().tookMs >= REQUEST_MS / 2)
    assert.equal(goAwayCode(deaf()), ENHANCE_YOUR_CALM)
  })

  it('loses what it does not read, and nothing else', async (t) => {
    const its = gateway()
    const socket = await its.socket()
    t.after(() => socket.destroy())
    const received = speak(socket, headers(1, but(GET, [':path', '/api/v1/long'])))
    let stream = 3
    await until(
      'it is reset',
      async () => {
        socket.write(headers(stream, [...POST, JSON_TYPE], END_HEADERS))
        const mine = stream
        stream += 2
        await systemClock.sleep(HEAD_MS / 4)
        socket.write(frame('data', END_STREAM, mine, BODY))
        return received().isClosed || resetCode(received(), 1) !== undefined
      },
      REQUEST_MS + LATE_MS,
    )
    assert.deepEqual([received().isClosed, resetCode(received(), 1)], [false, CANCEL])
  })
})

/** A connection that says nothing; gives how long it lasted. */
async function shakeNoHands(t: TestContext, port: number): Promise<() => number | undefined> {
  const startMs = systemClock.monotonicMs()
  let tookMs: number | undefined
  const socket = connect(port, '127.0.0.1')
  t.after(() => socket.destroy())
  socket.on('error', () => {})
  socket.on('close', () => {
    tookMs = systemClock.monotonicMs() - startMs
  })
  return () => tookMs
}
