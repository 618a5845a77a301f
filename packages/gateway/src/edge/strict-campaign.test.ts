/**
 * A campaign of mutated requests: what the service saw is what a second reading of the bytes gives, and nobody gets more answers than
 * there are requests. As a test with a few of them, and by `npm run test:http` with as many as wanted.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { seededRandom } from '@flotilla/core/random'
import type { StrictAnswer } from './strict-answers.test.ts'
import { answersMax, answersTo, converse, isAnswered, type Outcome } from './strict-converse.test.ts'
import { type Seen, type StrictGateway, sharedStrictGateway } from './strict-gateway.test.ts'
import { mutated } from './strict-mutations.test.ts'
import { Course, timeoutMs } from './strict-options.test.ts'
import { type ReadRequests, readMeaning, readRequests } from './strict-reader.test.ts'

const CASES = 5_000
const IN_FLIGHT = 64
const SETTLE_EVERY = 10_000

/** What has been seen of all connections so far. */
class Campaign {
  readonly #gateway: StrictGateway
  /** How often the service must see what; less what it saw. */
  readonly #owed = new Map<string, number>()
  readonly tally = { taken: 0, refused: 0, late: 0 }

  constructor(gateway: StrictGateway) {
    this.#gateway = gateway
  }

  /** Runs one case; all of it follows from its number. */
  async run(number: number): Promise<void> {
    const { pieces } = mutated(seededRandom(number), `n${number}`)
    const read = readRequests(pieces.join(''))
    for (const request of read.requests) this.#owe(readMeaning(request), 1)
    const outcome = await converse(this.#gateway.port, pieces, (text) => isAnswered(read, text))
    if (outcome.isLate) this.tally.late++
    const what = this.#wrongWith(read, outcome)
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

  #wrongWith(read: ReadRequests, { text, isCut }: Outcome): string | undefined {
    const { requests } = read
    const { answers, wrong } = answersTo(read, text)
    if (wrong !== undefined && !isCut) return `not answers: ${wrong}`
    if (answers.length > answersMax(read)) return `${answers.length} answers to ${requests.length} requests`
    for (const [index, answer] of answers.entries()) {
      if (answer.status >= 400) this.tally.refused++
      else this.tally.taken++
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

describe('Mutated requests', { timeout: timeoutMs }, () => {
  const gateway = sharedStrictGateway()

  it('mean to the service what they mean to a second reader', async (t) => {
    const campaign = new Campaign(gateway())
    const { tally } = campaign
    const course = new Course(CASES, (text) => t.diagnostic(text))
    while (!course.isOver) {
      const settleAt = course.count + SETTLE_EVERY
      const some = async (): Promise<void> => {
        while (!course.isOver && course.count < settleAt) await campaign.run(course.next(tally))
      }
      await Promise.all(Array.from({ length: IN_FLIGHT }, some))
      campaign.settle()
    }
    course.tell(tally)
    assert.ok(tally.taken > course.count / 10 && tally.refused > course.count / 10)
  })
})
