/**
 * Mutated requests without sockets: what is made of the bytes of a connection is what a second reader makes of them, request by request,
 * byte by byte. As a test 10⁵ connections, and by `npm run test:http` as many as wanted.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { describe, it } from 'node:test'
import { systemClock } from '@flotilla/core/clock'
import { seededRandom } from '@flotilla/core/random'
import { AnswerHeads } from '../http/answer-head.ts'
import { Connection, type ConnectionOptions } from '../http/connection.ts'
import { plainPeer } from '../http/tls-front.ts'
import type { Turn } from '../http/turn.ts'
import { answersMax, answersTo } from './strict-converse.test.ts'
import { mutated } from './strict-mutations.test.ts'
import { Course, timeoutMs } from './strict-options.test.ts'
import { type ReadRequest, readRequests } from './strict-reader.test.ts'

const CASES = 100_000
const BODY_BYTES_MAX = 1_000_000

/** As much of a socket as a connection asks of one; what is written is kept. */
class MemorySocket extends EventEmitter {
  readonly remoteAddress = '127.0.0.1'
  readonly writableNeedDrain = false
  readonly writableLength = 0
  readonly bytesWritten = 0
  text = ''
  isEnded = false
  #isPaused = false

  write(data: string | Uint8Array, encoding?: BufferEncoding): boolean {
    assert.ok(!this.isEnded, 'written after the end')
    this.text += Buffer.from(data as string, encoding).toString('latin1')
    return true
  }

  end(): void {
    this.isEnded = true
  }

  destroy(): void {
    this.isEnded = true
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
  }

  isPaused(): boolean {
    return this.#isPaused
  }

  cork(): void {
    // All of it is together.
  }

  uncork(): void {
    // As it was.
  }
}

/** A request as the gateway has understood it. */
interface Understood {
  readonly method: string
  readonly target: string
  readonly fields: readonly string[]
  readonly body: string
}

/** Answers everything, and keeps what it has understood. */
function echo(turn: Turn, understood: Understood[]): void {
  const { head, method, target } = turn
  if ('why' in head) return turn.answer(head.status, [], head.why)
  const take = (body: string): void => {
    understood.push({ method, target, fields: head.rawHeaders, body })
    turn.answer(200, [], `${understood.length}`)
  }
  if (!head.hasBody) return take('')
  turn.readBody(BODY_BYTES_MAX).then(
    (body) => take(body.toString('latin1')),
    ({ status }: { status: number }) => turn.answer(status, [], 'no body'),
  )
}

const shared: Omit<ConnectionOptions, 'onTurn'> = {
  clock: systemClock,
  heads: new AnswerHeads(systemClock),
  headMs: 10_000,
  refusalBody: (status) => `${status}`,
  refusalType: 'text/plain',
}

/** What the gateway has understood of bytes that come in these pieces, and what it has said. */
async function serve(pieces: readonly string[]): Promise<{ understood: Understood[]; text: string }> {
  const socket = new MemorySocket()
  const understood: Understood[] = []
  new Connection(socket as unknown as Socket, plainPeer, {
    ...shared,
    onTurn: (turn) => echo(turn, understood),
  })
  for (const piece of pieces) {
    socket.emit('data', Buffer.from(piece, 'latin1'))
    // Bodies are told by promises.
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
  const { text } = socket
  socket.emit('close')
  return { understood, text }
}

function isSame(understood: Understood, read: ReadRequest | undefined): boolean {
  return (
    read !== undefined &&
    understood.method === read.method &&
    understood.target === read.target &&
    understood.body === read.body &&
    understood.fields.length === 2 * read.fields.length &&
    read.fields.every(
      ([name, value], index) =>
        understood.fields[2 * index]?.toLowerCase() === name && understood.fields[2 * index + 1] === value,
    )
  )
}

const tally = { taken: 0, refused: 0 }

async function run(number: number): Promise<void> {
  const { pieces } = mutated(seededRandom(number), `n${number}`)
  const read = readRequests(pieces.join(''))
  const { requests } = read
  const { understood, text } = await serve(pieces)
  const fail = (what: string): never =>
    assert.fail(`case ${number}: ${what}\n${JSON.stringify(pieces)}\n${JSON.stringify(text)}`)
  for (const [index, one] of understood.entries())
    if (!isSame(one, requests[index])) fail(`another request ${index}: ${JSON.stringify(one)}`)
  const { answers, wrong } = answersTo(read, text)
  if (wrong !== undefined) fail(`not answers: ${wrong}`)
  const taken = answers.filter(({ status }) => status < 400)
  if (taken.length !== understood.length) fail(`${taken.length} are told that they were taken`)
  if (answers.length - taken.length > 1) fail('it was refused twice')
  // What the second reader reads is taken or refused, and what it cannot read is refused: nothing waits that is whole or hopeless.
  const isSilent = answers.length < requests.length && answers.at(-1)?.headers.get('connection') !== 'close'
  if (isSilent) fail(`${answers.length} answers to ${requests.length} requests`)
  if (answers.length > answersMax(read)) fail('too many answers')
  tally.taken += taken.length
  tally.refused += answers.length - taken.length
}

describe('Mutated requests on no socket', { timeout: timeoutMs }, () => {
  it('are understood as a second reader does, or refused', async (t) => {
    const course = new Course(CASES, (text) => t.diagnostic(text))
    while (!course.isOver) await run(course.next(tally))
    course.tell(tally)
    assert.ok(tally.taken > course.count / 10 && tally.refused > course.count / 10)
  })
})
