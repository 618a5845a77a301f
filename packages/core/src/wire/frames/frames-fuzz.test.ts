import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, Socket } from 'node:net'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Cancellation } from '../../kernel/cancellation.ts'
import { systemClock } from '../../kernel/clock.ts'
import { codes } from '../../kernel/code.ts'
import { criticalities } from '../../kernel/context.ts'
import { type FlotillaError, isFlotillaError } from '../../kernel/error.ts'
import { TimerWheel } from '../../kernel/timer-wheel.ts'
import { TraceContext } from '../../kernel/trace-context.ts'
import { VirtualClock } from '../../kernel/virtual-clock.ts'
import { until } from '../../testing/until.ts'
import type { Address, CallRequest } from '../wire.ts'
import {
  call,
  Probe,
  probeContract,
  requestOf,
  type TestContext,
  TestTrust,
  unixAddress,
} from '../wires.test.ts'
import { beginCall, callBodyStart, readCall, readCallNumbers } from './call-frame.ts'
import { type Encoding, openEncoding } from './encoding.ts'
import { encodings, type FrameLimits, kinds, REPLY_HEAD_BYTES, replyFlags } from './format.ts'
import { FrameReader } from './frame-reader.ts'
import { FrameWriter, readUint32 } from './frame-writer.ts'
import { openFramesChannel } from './frames-channel.ts'
import { type FramesServer, openFramesServer } from './frames-server.ts'
import { type Hello, readHello, readWelcome, sendHello, sendWelcome, type Welcome } from './greeting.ts'
import { sendCredit } from './stream-credit.ts'

const { echo, follow } = probeContract.operations
/** What they are called on the wire. */
const names = new Probe().operations.map(({ name }) => name)
const [ECHO, FOLLOW] = [names.indexOf('echo'), names.indexOf('follow')]

/** The bytes of the frames that `write` writes, in however many writes they leave. */
function bytesOf(write: (writer: FrameWriter) => void): Buffer {
  const sent: Buffer[] = []
  const socket = Object.assign(new Socket(), {
    write(chunk: Buffer, taken: () => void): boolean {
      // The writer uses its buffer again once the chunk is taken.
      sent.push(Buffer.from(chunk))
      taken()
      return true
    },
  })
  const writer = new FrameWriter(socket)
  write(writer)
  writer.flush()
  return Buffer.concat(sent)
}

/** Cuts bytes at arbitrary places. */
function chunksOf(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = []
  for (let at = 0, index = 0; at < bytes.length; index++) {
    const size = Math.max(1, sizes[index % sizes.length] as number)
    chunks.push(bytes.subarray(at, at + size))
    at += size
  }
  return chunks
}

function framesIn(chunks: readonly Buffer[], bytesMax = 1 << 22): Buffer[] {
  const frames: Buffer[] = []
  const reader = new FrameReader(bytesMax, (frame) => frames.push(frame))
  for (const chunk of chunks) reader.push(chunk)
  return frames
}

const uint32 = fc.nat(0xffff_ffff)
const text = fc.string({ unit: 'binary', maxLength: 40 }).map((one) => Buffer.from(one).toString())
const value = fc.oneof(
  // Without the one key that MessagePack renames, which has a test of its own.
  fc
    .json({ stringUnit: 'binary' })
    .filter((json) => !json.includes('"__proto__":'))
    .map((json) => JSON.parse(Buffer.from(json).toString()) as unknown),
  fc.record(
    {
      text: fc.string({ minLength: 1_000, maxLength: 3_000 }),
      list: fc.array(fc.integer(), { maxLength: 300 }),
    },
    { noNullPrototype: true },
  ),
)
const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.nat(2_000)), {
  minLength: 1,
  maxLength: 20,
})
const request: fc.Arbitrary<CallRequest> = fc
  .record({
    ids: fc.array(uint32, { minLength: 6, maxLength: 6 }),
    isSampled: fc.boolean(),
    criticality: fc.constantFrom(...criticalities),
    requestId: fc.option(text, { nil: undefined }),
    idempotencyKey: fc.option(text, { nil: undefined }),
    input: value,
  })
  .map(({ ids, isSampled, ...rest }) => {
    const [a, b, c, d, e, f] = ids as [number, number, number, number, number, number]
    return requestOf(echo, rest.input, { ...rest, trace: new TraceContext(a, b, c, d, e, f, isSampled) })
  })

/** A frame: how it is written, and what a reader must find in it. */
interface Sample {
  readonly kind: number
  write(writer: FrameWriter, encoding: Encoding): void
  check(frame: Buffer, encoding: Encoding): void
}

const samples: fc.Arbitrary<Sample> = fc.oneof(
  fc
    .record({
      request,
      numbers: fc.record(
        {
          call: uint32,
          operation: fc.nat(0xffff),
          principal: uint32,
          caller: fc.integer({ min: -1, max: 254 }),
          leftMs: fc.oneof(fc.nat(0xffff_fffe), fc.constant(Number.POSITIVE_INFINITY)),
          credit: fc.option(uint32, { nil: undefined }),
        },
        { noNullPrototype: true },
      ),
    })
    .map(({ request, numbers }) => ({
      kind: kinds.call,
      write(writer: FrameWriter, encoding: Encoding) {
        const start = beginCall(writer, request, numbers)
        encoding.encode(request.input, writer)
        writer.end(start, Number.POSITIVE_INFINITY)
      },
      check(frame: Buffer, encoding: Encoding) {
        assert.deepEqual(readCallNumbers(frame), numbers)
        const input = encoding.decode(frame, callBodyStart(frame))
        const read = readCall(frame, echo, input, {}, 1_000, new Cancellation())
        const { requestId, idempotencyKey, criticality, trace } = request
        assert.deepEqual(
          [
            read.requestId,
            read.idempotencyKey,
            read.criticality,
            String(read.trace),
            read.input,
            read.deadlineMs,
          ],
          [requestId, idempotencyKey, criticality, String(trace), request.input, 1_000 + numbers.leftMs],
        )
      },
    })),
  fc
    .record({
      kind: fc.constantFrom(kinds.reply, kinds.item),
      id: uint32,
      value,
      flags: fc.nat(replyFlags.isReplayed),
    })
    .map(({ kind, id, value, flags }) => ({
      kind,
      write(writer: FrameWriter, encoding: Encoding) {
        const start = writer.beginFor(kind, id, flags)
        encoding.encode(value, writer)
        writer.end(start, Number.POSITIVE_INFINITY)
      },
      check(frame: Buffer, encoding: Encoding) {
        assert.deepEqual([frame[5], readUint32(frame, 8)], [flags, id])
        assert.deepEqual(encoding.decode(frame, REPLY_HEAD_BYTES), value)
      },
    })),
  fc.record({ kind: fc.constantFrom(kinds.end, kinds.cancel), id: uint32 }).map(({ kind, id }) => ({
    kind,
    write: (writer: FrameWriter) => writer.send(kind, id),
    check: (frame: Buffer) => assert.deepEqual([frame.length, readUint32(frame, 8)], [12, id]),
  })),
  fc.record({ id: uint32, items: uint32 }).map(({ id, items }) => ({
    kind: kinds.credit,
    write: (writer: FrameWriter) => sendCredit(writer, id, items),
    check: (frame: Buffer) => assert.deepEqual([readUint32(frame, 8), readUint32(frame, 12)], [id, items]),
  })),
  fc.constantFrom(kinds.ping, kinds.pong, kinds.goodbye).map((kind) => ({
    kind,
    write: (writer: FrameWriter) => writer.send(kind),
    check: (frame: Buffer) => assert.equal(frame.length, 8),
  })),
  fc
    .record(
      {
        magic: fc.constant('flotilla' as const),
        version: fc.constant(1),
        encodings: fc.array(text),
        credential: fc.option(text, { nil: undefined }),
        callers: fc.array(text),
        frameBytesMax: fc.option(fc.integer({ min: 1_024, max: 1e9 }), { nil: undefined }),
      },
      { noNullPrototype: true },
    )
    .map((hello: Hello) => ({
      kind: kinds.hello,
      write: (writer: FrameWriter) => sendHello(writer, hello),
      check: (frame: Buffer) => assert.deepEqual(readHello(frame), hello),
    })),
  fc
    .record(
      {
        version: fc.constant(1),
        encoding: fc.constantFrom(...encodings),
        instance: text,
        operations: fc.array(text),
        frameBytesMax: fc.integer({ min: 1_024, max: 1e9 }),
        inFlightMax: fc.integer({ min: 1, max: 1e9 }),
      },
      { noNullPrototype: true },
    )
    .map((welcome: Welcome) => ({
      kind: kinds.welcome,
      write: (writer: FrameWriter) => sendWelcome(writer, welcome),
      check: (frame: Buffer) => assert.deepEqual(readWelcome(frame), welcome),
    })),
)

describe('frames', () => {
  for (const name of encodings) {
    it(`come out as they went in, however cut, in ${name}`, () => {
      fc.assert(
        fc.property(fc.array(samples, { maxLength: 12 }), sizes, (frames, cuts) => {
          const [writing, reading] = [openEncoding(name), openEncoding(name)]
          const bytes = bytesOf((writer) => {
            for (const frame of frames) frame.write(writer, writing)
          })
          const read = framesIn(chunksOf(bytes, cuts))
          assert.deepEqual(
            read.map((frame) => frame[4]),
            frames.map(({ kind }) => kind),
          )
          for (const [index, frame] of frames.entries()) frame.check(read[index] as Buffer, reading)
        }),
        // Shrinking what has a dozen frames takes for ever.
        { numRuns: 300, interruptAfterTimeLimit: 30_000 },
      )
    })
  }

  it('more shapes of objects than the encoding remembers still keep their fields, also after one was taken back', () => {
    const [writing, reading] = [openEncoding('msgpack-records'), openEncoding('msgpack-records')]
    const shape = (n: number): object => ({ [`a${n % 500}`]: n, b: { [`c${n % 77}`]: [n], d: 1 } })
    for (let n = 0; n < 2_000; n++) {
      const bytes = bytesOf((writer) => {
        const start = writer.beginFor(kinds.reply, n)
        writing.encode(shape(n), writer)
        writer.end(start, Number.POSITIVE_INFINITY)
      })
      assert.deepEqual(reading.decode(bytes, REPLY_HEAD_BYTES), shape(n))
      if (n % 3 > 0) continue
      // The next shape is encoded, and then not sent.
      bytesOf((writer) => writing.encode(shape(n + 1), writer))
      writing.forget()
    }
  })

  it('a key that JavaScript takes for the prototype becomes none, in any encoding', () => {
    const value: unknown = JSON.parse('{"a":[{"__proto__":{"isAdmin":true}}]}')
    for (const name of encodings) {
      const [writing, reading] = [openEncoding(name), openEncoding(name)]
      // The first body of a shape tells its names, the second one does not.
      for (let turn = 0; turn < 2; turn++) {
        const bytes = bytesOf((writer) => {
          const start = writer.beginFor(kinds.reply, 1)
          writing.encode(value, writer)
          writer.end(start, Number.POSITIVE_INFINITY)
        })
        const { a } = reading.decode(bytes, REPLY_HEAD_BYTES) as { a: [{ isAdmin?: boolean }] }
        assert.equal(Object.getPrototypeOf(a[0]), Object.prototype, name)
        assert.equal(a[0].isAdmin, undefined, name)
        assert.deepEqual(Object.keys(a[0]), [name === 'json' ? '__proto__' : '__proto_'])
      }
    }
  })

  it('a length that is too long or too short is refused before anything is kept', () => {
    const head = (length: number): Buffer => Buffer.from([length >>> 24, length >>> 16, length >>> 8, length])
    for (const length of [0, 1, 2, 3, 1_025, 0x7fff_ffff, 0xffff_ffff]) {
      for (const cuts of [[1], [2], [3], [4]]) {
        const chunks = chunksOf(head(length), cuts)
        assert.throws(() => framesIn(chunks, 1_024), { code: 'internal' })
      }
    }
    assert.deepEqual(framesIn([head(1_024)], 1_024), [])
  })

  it('a long frame that comes byte by byte is held in few pieces', () => {
    const bytes = bytesOf((writer) => {
      const start = writer.beginFor(kinds.reply, 1)
      writer.append(Buffer.alloc(200_000, 7))
      writer.end(start, Number.POSITIVE_INFINITY)
    })
    const [frame] = framesIn(chunksOf(bytes, [1]))
    assert.ok(frame?.equals(bytes))
  })
})

const SMALL: Partial<FrameLimits> = { frameBytesMax: 64 * 1024, unsentBytesMax: 256 * 1024 }

interface Target {
  readonly probe: Probe
  readonly trust: TestTrust
  readonly server: FramesServer
  readonly path: string
  readonly errors: FlotillaError[]
}

async function openTarget(
  t: TestContext,
  clock = systemClock as VirtualClock | typeof systemClock,
): Promise<Target> {
  const probe = new Probe()
  const trust = new TestTrust()
  const address = unixAddress(t) as Extract<Address, { kind: 'unix' }>
  const errors: FlotillaError[] = []
  const server = await openFramesServer({
    address,
    clock,
    receiver: probe,
    trust: trust.trust,
    instance: 'probe-1',
    limits: SMALL,
    onPeerError: (error) => errors.push(error),
  })
  t.after(() => server.close())
  return { probe, trust, server, path: address.path, errors }
}

/** Sends chunks and then the end; gives the frames that came back until the server closed, too. */
async function send(path: string, chunks: readonly Buffer[]): Promise<Buffer[]> {
  const socket = connect(path)
  const frames: Buffer[] = []
  const reader = new FrameReader(1 << 20, (frame) => frames.push(frame))
  socket.on('data', (chunk) => reader.push(chunk as Buffer))
  // The server may close while bytes are still on their way to it.
  socket.on('error', () => {})
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  for (const chunk of chunks) socket.write(chunk)
  socket.end()
  let isLeftOpen = false
  const patience = systemClock.schedule(5_000, () => {
    isLeftOpen = true
    socket.destroy()
  })
  await closed
  patience.cancel()
  assert.ok(!isLeftOpen, 'the server left the connection open')
  return frames
}

const helloWith = (credential: string, encoding: string, rest: Partial<Hello> = {}): Buffer =>
  bytesOf((writer) =>
    sendHello(writer, {
      magic: 'flotilla',
      version: 1,
      encodings: [encoding],
      credential,
      callers: ['cart'],
      ...rest,
    }),
  )

/** Honest traffic of a caller after its HELLO. */
function traffic(encodingName: (typeof encodings)[number], token: string): Buffer {
  const encoding = openEncoding(encodingName)
  return bytesOf((writer) => {
    const introduction = writer.beginFor(kinds.principal, 1)
    writer.append(Buffer.from(token))
    writer.end(introduction, Number.POSITIVE_INFINITY)
    for (let id = 1; id <= 6; id++) {
      const isStream = id % 3 === 0
      const input = isStream ? { items: 5, after: 'wait' } : { a: 'x', b: [1, 2.5, null] }
      const made = requestOf(isStream ? follow : echo, input, { requestId: 'r1', idempotencyKey: 'k' })
      const operation = isStream ? FOLLOW : ECHO
      const numbers = {
        call: id,
        operation,
        principal: id % 2,
        caller: 0,
        leftMs: 1_000,
        credit: isStream ? 2 : undefined,
      }
      const start = beginCall(writer, made, numbers)
      encoding.encode(input, writer)
      writer.end(start, Number.POSITIVE_INFINITY)
    }
    sendCredit(writer, 3, 2)
    writer.send(kinds.ping)
    writer.send(kinds.cancel, 6)
  })
}

/** One change to bytes: some overwritten, cut out, or put in. */
const change = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  remove: fc.nat(6),
  insert: fc.uint8Array({ maxLength: 6 }),
})

function changed(
  bytes: Buffer,
  changes: readonly { at: number; remove: number; insert: Uint8Array }[],
): Buffer {
  return changes.reduce((before, { at, remove, insert }) => {
    const start = Math.floor(at * before.length)
    return Buffer.concat([before.subarray(0, start), insert, before.subarray(start + remove)])
  }, bytes)
}

const sentKinds: ReadonlySet<number> = new Set([
  kinds.welcome,
  kinds.reply,
  kinds.error,
  kinds.item,
  kinds.end,
  kinds.ping,
  kinds.pong,
  kinds.goodbye,
])

/** What a server may say to anybody, whatever it was told. */
function assertProper(frames: readonly Buffer[]): void {
  for (const frame of frames) {
    assert.ok(sentKinds.has(frame[4] as number), `a frame of kind ${frame[4]}`)
    if (frame[4] !== kinds.error) continue
    const body = JSON.parse(frame.toString('utf8', REPLY_HEAD_BYTES)) as { code: string }
    assert.ok(Object.hasOwn(codes, body.code), body.code)
  }
}

async function assertServes({ path, server, trust, probe }: Target): Promise<void> {
  const channel = await openFramesChannel({
    address: { kind: 'unix', path },
    clock: systemClock,
    wheel: new TimerWheel(systemClock),
    callers: ['cart'],
    credential: trust.credential(['cart']),
  })
  const reply = await call(channel, requestOf(echo, { still: 'here' }))
  assert.deepEqual(reply.output, { still: 'here' })
  await channel.close()
  await until('nothing is left running', () => server.inFlight === 0)
  assert.equal(
    probe.endedStreams,
    probe.requests.filter(({ operation }) => operation.kind === 'stream').length,
  )
}

describe('a frames server', () => {
  it('survives random bytes, before and after a HELLO', async (t) => {
    const target = await openTarget(t)
    const hello = helloWith(target.trust.credential(['cart']), 'msgpack-records')
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.uint8Array({ minLength: 1, maxLength: 400 }),
        sizes,
        async (isGreeted, bytes, cuts) => {
          assertProper(
            await send(target.path, [...(isGreeted ? [hello] : []), ...chunksOf(Buffer.from(bytes), cuts)]),
          )
        },
      ),
      { numRuns: 150 },
    )
    await assertServes(target)
  })

  it('survives frames of every kind with random contents', async (t) => {
    const target = await openTarget(t)
    const frame = fc
      .record({ kind: fc.nat(15), rest: fc.uint8Array({ maxLength: 90 }) })
      .map(({ kind, rest }) => {
        const bytes = Buffer.concat([Buffer.from([0, 0, 0, rest.length + 4, kind, 0, 0, 0]), rest])
        return bytes
      })
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...encodings),
        fc.array(frame, { minLength: 1, maxLength: 6 }),
        async (encoding, frames) => {
          const hello = helloWith(target.trust.credential(['cart']), encoding)
          assertProper(await send(target.path, [hello, ...frames]))
        },
      ),
      { numRuns: 150 },
    )
    await assertServes(target)
  })

  it('survives honest traffic that was tampered with', async (t) => {
    const target = await openTarget(t)
    const token = target.trust.token({ id: 'u1', roles: [], scopes: [], tier: 'free' })
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...encodings),
        fc.array(change, { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        sizes,
        async (encoding, changes, isHelloHonest, cuts) => {
          const hello = helloWith(target.trust.credential(['cart']), encoding)
          const rest = traffic(encoding, token)
          const bytes = isHelloHonest
            ? Buffer.concat([hello, changed(rest, changes)])
            : changed(Buffer.concat([hello, rest]), changes)
          assertProper(await send(target.path, chunksOf(bytes, cuts)))
        },
      ),
      { numRuns: 200 },
    )
    await assertServes(target)
  })

  it('answers honest traffic, so that the test above means something', async (t) => {
    const target = await openTarget(t)
    const token = target.trust.token({ id: 'u1', roles: [], scopes: [], tier: 'free' })
    for (const encoding of encodings) {
      const hello = helloWith(target.trust.credential(['cart']), encoding)
      const frames = await send(
        target.path,
        chunksOf(Buffer.concat([hello, traffic(encoding, token)]), [7, 300]),
      )
      const count = (kind: number): number => frames.filter((frame) => frame[4] === kind).length
      assert.deepEqual([count(kinds.welcome), count(kinds.reply), count(kinds.pong)], [1, 4, 1])
      assert.ok(count(kinds.item) >= 4)
    }
    assert.deepEqual(target.errors, [])
  })

  it('refuses a length beyond its limit without waiting for the bytes', async (t) => {
    const target = await openTarget(t)
    const socket = connect(target.path)
    t.after(async () => void socket.destroy())
    socket.write(Buffer.from([0xff, 0xff, 0xff, 0xff]))
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    const [frame] = framesIn([chunk]) as [Buffer]
    assert.equal(frame[4], kinds.error)
    assert.equal(readUint32(frame, 8), 0)
    await once(socket, 'close')
  })

  it('holds no more memory for nested arrays that claim to be long than for what was sent', async (t) => {
    const target = await openTarget(t)
    const hello = helloWith(target.trust.credential(['cart']), 'msgpack-records')
    const head = traffic('msgpack-records', 'x')
    const [, firstCall] = framesIn([head]) as [Buffer, Buffer]
    const bomb = Buffer.concat(
      Array.from({ length: 1_000 }, () => Buffer.from([0xdd, 0x01, 0xff, 0xff, 0xff])),
    )
    const frame = Buffer.concat([firstCall.subarray(0, callBodyStart(firstCall)), bomb])
    frame.writeUInt32BE(frame.length - 4, 0)
    const beforeBytes = process.memoryUsage().rss
    assertProper(await send(target.path, [hello, frame]))
    assert.ok(process.memoryUsage().rss - beforeBytes < 300e6)
    await assertServes(target)
  })

  it('reads nothing more of a caller it refused, or that broke the protocol', async (t) => {
    const target = await openTarget(t)
    // As long as one read from a socket, so that what follows comes by a second one, while the refusal is on its way.
    const readBytes = 65_536
    const bare = helloWith('forged.x', 'json', { callers: [''] })
    const refused = helloWith('forged.x', 'json', { callers: ['x'.repeat(readBytes - bare.length)] })
    const hello = helloWith(target.trust.credential(['cart']), 'json')
    const strange = Buffer.alloc(readBytes - hello.length)
    strange.writeUInt32BE(strange.length - 4, 0)
    strange[4] = 99
    for (const start of [refused, Buffer.concat([hello, strange])]) {
      assert.equal(start.length, readBytes)
      const frames = await send(target.path, [Buffer.concat([start, traffic('json', 'x')])])
      assert.equal(frames.filter((frame) => frame[4] === kinds.error).length, 1)
      assert.equal(readUint32(frames.at(-1) as Buffer, 8), 0)
    }
    assert.equal(target.errors[0]?.code, 'unauthenticated')
    assert.equal(target.errors.length, 2)
    assert.equal(target.probe.requests.length, 0)
  })

  it('closes a connection that says no HELLO, or does not leave when refused', async (t) => {
    const clock = new VirtualClock()
    const target = await openTarget(t, clock)
    const silent = connect(target.path)
    const stubborn = connect({ path: target.path, allowHalfOpen: true })
    t.after(async () => {
      silent.destroy()
      stubborn.destroy()
    })
    await Promise.all([once(silent, 'connect'), once(stubborn, 'connect')])
    const ends = Promise.all([once(silent.resume(), 'close'), once(stubborn.resume(), 'end')])
    stubborn.write(Buffer.alloc(64))
    await until('both are there', () => target.errors.length === 1)
    silent.write(Buffer.from([0, 0]))
    await clock.advance(4_900)
    assert.equal(silent.destroyed, false)
    await clock.advance(200)
    await ends
  })

  it('never sends a frame longer than the caller takes', async (t) => {
    const target = await openTarget(t)
    const hello = helloWith(target.trust.credential(['cart']), 'json', { frameBytesMax: 1_024 })
    const long = bytesOf((writer) => {
      for (const [id, length] of [
        [1, 900],
        [2, 1_100],
      ] as const) {
        const numbers = { call: id, operation: 0, principal: 0, caller: -1, leftMs: 5_000, credit: undefined }
        const input = { text: 'x'.repeat(length) }
        const start = beginCall(writer, requestOf(echo, input), numbers)
        writer.append(Buffer.from(JSON.stringify(input)))
        writer.end(start, Number.POSITIVE_INFINITY)
      }
    })
    const frames = await send(target.path, [hello, long])
    assert.deepEqual(
      frames.map((frame) => frame[4]),
      [kinds.welcome, kinds.reply, kinds.error],
    )
    assert.ok(frames.slice(1).every((frame) => frame.length <= 1_028))
  })

  it('does not believe a credit without bounds: the producer waits for the socket', async (t) => {
    const target = await openTarget(t)
    const socket = connect(target.path)
    t.after(async () => void socket.destroy())
    const input = { items: 100_000, filling: 10_000 }
    const open = bytesOf((writer) => {
      const operation = FOLLOW
      const numbers = { call: 1, operation, principal: 0, caller: -1, leftMs: 60_000, credit: 0xffff_ffff }
      const start = beginCall(writer, requestOf(follow, input), numbers)
      writer.append(Buffer.from(JSON.stringify(input)))
      writer.end(start, Number.POSITIVE_INFINITY)
    })
    socket.pause()
    socket.write(Buffer.concat([helloWith(target.trust.credential(['cart']), 'json'), open]))
    await until('it has begun', () => target.probe.producedItems > 0)
    await assertServesBeside(target)
    assert.ok(target.probe.producedItems <= 200, `${target.probe.producedItems} items made for nobody`)
    socket.destroy()
    await until('the stream has ended', () => target.probe.endedStreams === 1)
  })
})

async function assertServesBeside({ path, trust }: Target): Promise<void> {
  const frames = await send(path, [helloWith(trust.credential(['cart']), 'json'), traffic('json', 'x')])
  assert.ok(frames.length > 0)
}

const welcome: Welcome = {
  version: 1,
  encoding: 'json',
  instance: 'x',
  operations: [echo.id, follow.id],
  frameBytesMax: 1 << 20,
  inFlightMax: 10,
}

/** A server that answers a HELLO with `greeting`, the next bytes with `answer`, and those after them with its end. */
async function openImpostor(
  t: TestContext,
  greeting: () => readonly Buffer[],
  answer?: Buffer,
): Promise<Address> {
  const address = unixAddress(t) as Extract<Address, { kind: 'unix' }>
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('end', () => socket.destroy())
    socket.once('data', () => {
      for (const chunk of greeting()) socket.write(chunk)
      socket.once('data', () => (answer === undefined ? socket.end() : socket.write(answer)))
    })
  })
  await new Promise<void>((resolve) => server.listen(address.path, resolve))
  t.after(async () => void server.close())
  return address
}

describe('a frames channel', () => {
  it('survives a server that answers anything: what waits fails, nothing hangs', async (t) => {
    let answer: readonly Buffer[] = []
    const address = await openImpostor(t, () => answer)
    const wheel = new TimerWheel(systemClock)
    const honest = bytesOf((writer) => sendWelcome(writer, welcome))
    const replies = bytesOf((writer) => {
      for (const kind of [kinds.item, kinds.reply, kinds.error, kinds.end]) {
        const start = writer.beginFor(kind, 1)
        writer.append(Buffer.from('{"index":0,"code":"aborted"}'))
        writer.end(start, Number.POSITIVE_INFINITY)
      }
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(change, { maxLength: 4 }),
        fc.boolean(),
        fc.uint8Array({ maxLength: 60 }),
        sizes,
        async (changes, isHonest, noise, cuts) => {
          const bytes = isHonest
            ? Buffer.concat([honest, changed(Buffer.concat([replies, noise]), changes)])
            : changed(Buffer.concat([honest, replies, noise]), changes)
          answer = chunksOf(bytes, cuts)
          const options = {
            address,
            clock: systemClock,
            wheel,
            callers: [],
            encodings: ['json'] as const,
            connectTimeoutMs: 300,
          }
          const channel = await openFramesChannel(options).catch((error: unknown) => {
            assert.ok(isFlotillaError(error))
          })
          if (channel === undefined) return
          const waited = call(channel, requestOf(echo, {}, { timeoutMs: 300 }))
          const items = (async () => {
            try {
              for await (const _item of channel.stream(requestOf(follow, {}, { timeoutMs: 300 })));
            } catch (error) {
              assert.ok(isFlotillaError(error))
            }
          })()
          const { error } = await waited
          assert.ok(error === undefined || isFlotillaError(error))
          await items
          await channel.close()
        },
      ),
      { numRuns: 120 },
    )
  })

  const connectTo = (address: Address) =>
    openFramesChannel({
      address,
      clock: systemClock,
      wheel: new TimerWheel(systemClock),
      callers: [],
      encodings: ['json'],
    })
  const greeting = (changes: object): Buffer =>
    bytesOf((writer) => sendWelcome(writer, { ...welcome, ...changes }))

  it('refuses a WELCOME that is none, of another version, or none at all', async (t) => {
    const wrong: [object, object][] = [
      [{ version: 2 }, { code: 'unimplemented', executed: 'no' }],
      [{ encoding: 'xml' }, { code: 'internal' }],
      [{ operations: undefined }, { code: 'internal' }],
      [{ inFlightMax: '9' }, { code: 'internal' }],
    ]
    for (const [changes, error] of wrong) {
      const address = await openImpostor(t, () => [greeting(changes)])
      await assert.rejects(connectTo(address), error)
    }
    const address = await openImpostor(t, () => [Buffer.from([0, 0, 0, 4, kinds.goodbye, 0, 0, 0])])
    await assert.rejects(connectTo(address), { code: 'unavailable', executed: 'no' })
  })

  it('keeps no more items than it gave credit for', async (t) => {
    const flood = bytesOf((writer) => {
      for (let index = 0; index < 65; index++) {
        const start = writer.beginFor(kinds.item, 1)
        writer.append(Buffer.from(JSON.stringify({ index })))
        writer.end(start, Number.POSITIVE_INFINITY)
      }
    })
    const channel = await connectTo(await openImpostor(t, () => [greeting({})], flood))
    const items = channel.stream(requestOf(follow, {}))
    await until('the connection is given up', () => !channel.isOpen)
    let count = 0
    await assert.rejects(
      async () => {
        for await (const _item of items) count++
      },
      { code: 'unavailable', executed: 'maybe' },
    )
    assert.equal(count, 64)
  })
})
