/**
 * A campaign of mutated requests: what the service saw is what a second reading of the bytes gives, and nobody gets more answers than
 * there are requests. As a test with a few of them, and as `npm run test:http -- --requests 1000000 --seed 7` with as many as wanted.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { describe, it } from 'node:test'
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { systemClock } from '@flotilla/core/clock'
import { seededRandom } from '@flotilla/core/random'
import { readAnswers, type StrictAnswer } from './strict-answers.test.ts'
import { type Seen, type StrictGateway, sharedStrictGateway } from './strict-gateway.test.ts'
import { mutated } from './strict-mutations.test.ts'
import { type ReadRequests, readMeaning, readRequests } from './strict-reader.test.ts'

const { values } = parseArgs({
  strict: false,
  options: { requests: { type: 'string' }, seed: { type: 'string' } },
})
/** Absent: as many as there is time for. */
const wanted = values['requests'] === undefined ? undefined : Number(values['requests'])
const seed = Number(values['seed'] ?? 1)

const SHARE_MS = 25_000
const SHARE_MAX = 12_000
/** On a machine with hardly any time to spare. */
const SHARE_MIN = 500
const IN_FLIGHT = 64
/** After which we hang up on a gateway that waits where the second reading sees no reason to. */
const HANG_UP_MS = 4_000
const TELL_EVERY = 10_000

/** What came of one connection. */
interface Outcome {
  readonly text: string
  /** The gateway cut the connection: what it said last may be lost. */
  readonly isCut: boolean
  readonly isLate: boolean
}

/** Sends pieces, each in a write of its own, and hangs up when `isEnough`. */
function converse(
  port: number,
  pieces: readonly string[],
  isEnough: (text: string) => boolean,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    let text = ''
    let isCut = false
    let isLate = false
    let isSent = false
    const timer = systemClock.schedule(HANG_UP_MS, () => {
      isLate = true
      socket.end()
    })
    const endWhenEnough = (): void => {
      if (isSent && isEnough(text)) socket.end()
    }
    const write = (index: number): void => {
      const piece = pieces[index]
      if (piece !== undefined && socket.writable) {
        socket.write(piece, 'latin1')
        setImmediate(write, index + 1)
        return
      }
      isSent = true
      endWhenEnough()
    }
    socket.on('connect', () => write(0))
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      endWhenEnough()
    })
    socket.on('error', () => {
      isCut = true
    })
    socket.on('close', () => {
      timer.cancel()
      resolve({ text, isCut, isLate })
    })
  })
}

/** What has been seen of all connections so far. */
class Campaign {
  readonly #gateway: StrictGateway
  /** How often the service must see what; less what it saw. */
  readonly #owed = new Map<string, number>()
  taken = 0
  refused = 0
  late = 0

  constructor(gateway: StrictGateway) {
    this.#gateway = gateway
  }

  /** Runs one case; all of it follows from its number. */
  async run(number: number): Promise<void> {
    const { pieces } = mutated(seededRandom(number), `n${number}`)
    const bytes = pieces.join('')
    const read = readRequests(bytes)
    const isHead = (index: number): boolean => read.requests[index]?.method === 'HEAD'
    for (const request of read.requests) this.#owe(readMeaning(request), 1)
    const isEnough = (text: string): boolean =>
      read.end !== 'wrong' &&
      read.end !== 'closed' &&
      readAnswers(text, isHead).answers.length >= read.requests.length
    const outcome = await converse(this.#gateway.port, pieces, isEnough)
    if (outcome.isLate) this.late++
    const what = this.#wrongWith(read, outcome, isHead)
    if (what === undefined) return
    assert.fail(`case ${number}: ${what}\n${JSON.stringify(pieces)}\n${JSON.stringify(outcome.text)}`)
  }

  /** The service has seen nothing that no request meant. */
  settle(): void {
    for (const { operation, input } of this.#gateway.calls.splice(0)) this.#owe({ operation, input }, -1)
    for (const [what, count] of this.#owed)
      assert.ok(count >= 0, `the service saw ${what}, which nobody asked for`)
    this.#owed.clear()
  }

  #owe(seen: Seen | undefined, count: number): void {
    if (seen === undefined) return
    const key = keyOf(seen)
    this.#owed.set(key, (this.#owed.get(key) ?? 0) + count)
  }

  #wrongWith(
    { requests, end }: ReadRequests,
    { text, isCut }: Outcome,
    isHead: (index: number) => boolean,
  ): string | undefined {
    const asGet = readAnswers(text, isHead)
    // The method of what cannot be read may be HEAD, where the gateway understood so much.
    const isHeadLast = (index: number): boolean => isHead(index) || index >= requests.length
    const { answers, wrong } = asGet.wrong === undefined ? asGet : readAnswers(text, isHeadLast)
    if (wrong !== undefined && !isCut) return `not answers: ${wrong}`
    const answersMax = requests.length + (end === 'wrong' || end === 'within' ? 1 : 0)
    if (answers.length > answersMax) return `${answers.length} answers to ${requests.length} requests`
    for (const [index, answer] of answers.entries()) {
      if (answer.status >= 400) this.refused++
      else this.taken++
      const request = requests[index]
      if (request === undefined) {
        if (answer.status < 400) return `answer ${index} takes what is no request`
      } else if (!isAnswerTo(answer, readMeaning(request), request.method)) {
        return `answer ${index} shows something else than ${JSON.stringify(readMeaning(request))}`
      }
    }
    return undefined
  }
}

/** What a call is known by. Order of members means nothing. */
function keyOf({ operation, input }: Seen): string {
  return `${operation} ${JSON.stringify(Object.entries(input as object).sort())}`
}

function isAnswerTo({ status, body }: StrictAnswer, meaning: Seen | undefined, method: string): boolean {
  // Pages of the gateway itself are where a target may come to point, too.
  if (status >= 300 || method === 'OPTIONS' || method === 'HEAD') return true
  const shown = JSON.parse(Buffer.from(body, 'latin1').toString('utf8')) as Seen
  return meaning !== undefined && isDeepStrictEqual(shown, { ...meaning })
}

describe('Mutated requests', { timeout: wanted === undefined ? 120_000 : 86_400_000 }, () => {
  const gateway = sharedStrictGateway()

  it('mean to the service what they mean to a second reader', async (t) => {
    const campaign = new Campaign(gateway())
    const startMs = systemClock.monotonicMs()
    const elapsedMs = (): number => systemClock.monotonicMs() - startMs
    const first = seed * 1_000_000_000
    let count = 0
    const goesOn = (): boolean =>
      wanted === undefined
        ? count < SHARE_MAX && (count < SHARE_MIN || elapsedMs() < SHARE_MS)
        : count < wanted
    const tell = (): void => {
      const { taken, refused, late } = campaign
      const rate = Math.round((count * 1_000) / elapsedMs())
      t.diagnostic(
        `seed ${seed}: ${count} connections, ${rate}/s; ${taken} answers that take, ${refused} that refuse, ${late} late`,
      )
    }
    while (goesOn()) {
      const until = count + TELL_EVERY
      const batch = async (): Promise<void> => {
        while (goesOn() && count < until) await campaign.run(first + count++)
      }
      await Promise.all(Array.from({ length: IN_FLIGHT }, batch))
      campaign.settle()
      tell()
    }
    assert.ok(campaign.taken > count / 10 && campaign.refused > count / 10)
  })
})
