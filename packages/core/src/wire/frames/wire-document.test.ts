import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { it } from 'node:test'
import { anyone } from '../../contract/access.ts'
import { defineContract, operationsOf } from '../../contract/contract.ts'
import { command, query, stream } from '../../contract/operation.ts'
import { Type } from '../../contract/schema.ts'
import { systemClock } from '../../kernel/clock.ts'
import { FlotillaError } from '../../kernel/error.ts'
import { type Address, type CallRequest, type Receiver, Reply } from '../wire.ts'
import { TestTrust, unixAddress } from '../wires.test.ts'
import { openFramesServer } from './frames-server.ts'

const greeter = defineContract({
  name: 'greeter',
  version: 1,
  summary: 'The example of docs/wire.md.',
  operations: {
    greet: query({
      summary: 'Greets.',
      access: anyone,
      input: Type.Object({ name: Type.String() }),
      output: Type.Object({ text: Type.String() }),
    }),
    count: stream({
      summary: 'Counts.',
      access: anyone,
      input: Type.Object({ to: Type.Integer() }),
      output: Type.Object({ n: Type.Integer() }),
    }),
    rename: command({
      summary: 'Takes another name.',
      access: anyone,
      idempotency: 'key',
      input: Type.Object({ to: Type.String() }),
      output: Type.Object({ name: Type.String() }),
    }),
  },
})

class Greeter implements Receiver {
  readonly operations = operationsOf(greeter)
  readonly requests: CallRequest[] = []

  call(request: CallRequest, settle: (reply: Reply) => void): void {
    this.requests.push(request)
    const { name, to } = request.input as { name?: string; to?: string }
    const nowMs = systemClock.monotonicMs()
    if (to !== undefined) {
      return settle(new Reply({ name: to }, undefined, undefined, nowMs, request.idempotencyKey === 'k1'))
    }
    if (name !== '') return settle(Reply.of({ text: `Hello ${name}` }, nowMs))
    settle(Reply.failed(new FlotillaError('invalid_argument', 'A name, please.', { executed: 'no' }), nowMs))
  }

  async *stream(request: CallRequest): AsyncIterable<unknown> {
    for (let n = 1; n <= (request.input as { to: number }).to; n++) yield { n }
  }
}

/** Where it is: in the docs of the repository that this file belongs to. */
function documentPath(): string {
  let folder = import.meta.dirname
  while (!existsSync(join(folder, 'docs/wire.md'))) {
    assert.notEqual(folder, dirname(folder), 'there is no docs/wire.md')
    folder = dirname(folder)
  }
  return join(folder, 'docs/wire.md')
}

/** What one side says before the other answers. */
interface Turn {
  readonly isSent: boolean
  readonly bytes: Buffer
}

/** The turns of the document's example: lines of `>` or `<`, bytes in hexadecimal, and a comment. */
function turnsIn(markdown: string): Turn[] {
  const [, block] = /```hex\n(.*?)```/s.exec(markdown) ?? []
  const turns: { isSent: boolean; bytes: Buffer }[] = []
  for (const line of (block as string).trimEnd().split('\n')) {
    const match = /^([<>])((?: [0-9a-f]{2})+)\s*(?:#.*)?$/.exec(line)
    assert.ok(match, `not a line of bytes: ${line}`)
    const isSent = match[1] === '>'
    const bytes = Buffer.from((match[2] as string).replaceAll(' ', ''), 'hex')
    const last = turns.at(-1)
    if (last?.isSent === isSent) last.bytes = Buffer.concat([last.bytes, bytes])
    else turns.push({ isSent, bytes })
  }
  return turns
}

/** Reads until there are as many bytes as wanted; fails when the server closes before. */
async function readBytes(socket: Socket, count: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let missing = count
  while (missing > 0) {
    const chunk = socket.read(Math.min(missing, Math.max(1, socket.readableLength))) as Buffer | null
    if (chunk === null) {
      assert.equal(socket.readableEnded, false, 'the server closed')
      await new Promise<void>((resolve) => socket.once('readable', resolve))
      continue
    }
    chunks.push(chunk)
    missing -= chunk.length
  }
  return Buffer.concat(chunks)
}

it('docs/wire.md: a server answers the bytes of the example with the bytes of the example', async (t) => {
  const receiver = new Greeter()
  const address = unixAddress(t) as Extract<Address, { kind: 'unix' }>
  const { trust } = new TestTrust()
  const server = await openFramesServer({
    address,
    clock: systemClock,
    receiver,
    trust,
    instance: 'greeter-1',
  })
  t.after(() => server.close())
  const socket = connect(address.path)
  t.after(async () => void socket.destroy())
  const turns = turnsIn(readFileSync(documentPath(), 'utf8'))
  assert.ok(turns.length >= 13, `${turns.length} turns`)
  for (const { isSent, bytes } of turns) {
    if (isSent) socket.write(bytes)
    else assert.equal((await readBytes(socket, bytes.length)).toString('hex'), bytes.toString('hex'))
  }
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  assert.equal(socket.resume().read(), null)
  await closed

  const [first] = receiver.requests as [CallRequest]
  assert.equal(first.trace.toString(), '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01')
  assert.deepEqual(
    [first.requestId, first.criticality, first.caller, first.deadlineMs - first.startMs],
    ['r-123', 'critical', {}, 3_000],
  )
})
