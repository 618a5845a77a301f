/**
 * Mutated requests before a foreign server: what it sees is exactly what the gateway meant to pass on, by a second reading of the
 * bytes, without the fields that end at a gateway. As a test with a few of them, and by `npm run test:http` with as many as wanted.
 *
 * @source RFC 9110, 7.6; `docs/security.md`, G7, G8, G13
 * @module
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { seededRandom } from '@flotilla/core/random'
import { openOnce } from './open-once.test.ts'
import { answersMax, answersTo, converse, isAnswered } from './strict-converse.test.ts'
import { openGatewayBefore, openStrictEcho, type StrictEcho } from './strict-echo.test.ts'
import type { StrictGateway } from './strict-gateway.test.ts'
import { mutated } from './strict-mutations.test.ts'
import { Course, timeoutMs } from './strict-options.test.ts'
import { originOf, type ReadRequest, readRequests } from './strict-reader.test.ts'
import { get, post } from './strict-requests.test.ts'

const CASES = 4_000
const IN_FLIGHT = 32
const SETTLE_EVERY = 1_000

/** They speak of one connection, or for the gateway. */
const GONE = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
  'expect',
  'forwarded',
  'x-user-id',
])
/** What the gateway says in place of what it was told. */
const OWN = [
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-request-id',
  'traceparent',
]
/** Names like these may be taken for those of a proxy; whether they go on is the gateway's to say. */
const DOUBTFUL = /^(?:x-(?:forwarded|user|request|original|real|auth|client|remote)|remote-|via$)/

/** What a request is known by when it has passed; fields in their order. */
function passed({ method, target, fields, body }: ReadRequest): string {
  const [path, ...search] = target.slice(originOf(target).length).split('?')
  const query = search.join('?')
  const its = fields.filter(([name]) => !GONE.has(name) && !OWN.includes(name) && !DOUBTFUL.test(name))
  return JSON.stringify({ method, target: query === '' ? path : `${path}?${query}`, its, body })
}

/** What is wrong with what the gateway says itself; undefined when nothing is. */
function wrongWith({ fields }: ReadRequest, port: number): string | undefined {
  const valuesOf = (name: string): string =>
    fields.flatMap(([its, value]) => (its === name ? [value] : [])).join()
  if (fields.some(([name]) => name !== 'connection' && GONE.has(name))) return 'what ends at a gateway'
  if (!/^(?:keep-alive|close|)$/.test(valuesOf('connection'))) return 'a connection of somebody else'
  if (valuesOf('host') !== `127.0.0.1:${port}`) return 'another host'
  if (valuesOf('x-forwarded-for') !== '127.0.0.1') return 'another client'
  if (!/^[\w.:-]+$/.test(valuesOf('x-forwarded-host')) || valuesOf('x-forwarded-proto') !== 'http')
    return 'an odd origin'
  if (!/^[\x21-\x7e]+$/.test(valuesOf('x-request-id'))) return 'an odd request id'
  return /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/.test(valuesOf('traceparent')) ? undefined : 'an odd trace'
}

/** What has been seen of all connections so far. */
class Campaign {
  readonly #gateway: StrictGateway
  readonly #echo: StrictEcho
  readonly #owed = new Map<string, number>()
  readonly tally = { taken: 0, refused: 0, passedOn: 0, late: 0 }

  constructor(gateway: StrictGateway, echo: StrictEcho) {
    this.#gateway = gateway
    this.#echo = echo
  }

  /** Runs one case; all of it follows from its number. */
  async run(number: number): Promise<void> {
    const { pieces } = mutated(seededRandom(number), `n${number}`)
    const read = readRequests(pieces.join(''))
    for (const request of read.requests) this.#owe(request, 1)
    const { text, isCut, isLate } = await converse(this.#gateway.port, pieces, (so) => isAnswered(read, so))
    const fail = (what: string): never =>
      assert.fail(`case ${number}: ${what}\n${JSON.stringify(pieces)}\n${JSON.stringify(text)}`)
    if (isLate) this.tally.late++
    const { answers, wrong } = answersTo(read, text)
    if (wrong !== undefined && !isCut) fail(`not answers: ${wrong}`)
    if (answers.length > answersMax(read)) fail(`${answers.length} answers`)
    for (const [index, { status, body, headers }] of answers.entries()) {
      if (status >= 400) this.tally.refused++
      else this.tally.taken++
      const request = read.requests[index]
      if (status >= 500 && status !== 501 && status !== 505) fail(`the status ${status}`)
      if (status !== 200 || body === '' || headers.get('content-type') !== 'application/json') continue
      const shown = JSON.parse(Buffer.from(body, 'latin1').toString('utf8'))
      if (request === undefined || passed({ ...shown, fields: [] }) !== passed({ ...request, fields: [] }))
        fail(`answer ${index} shows something else`)
    }
  }

  /** The server behind has seen nothing that no request meant. */
  settle(): void {
    assert.deepEqual(this.#echo.wrong, [])
    for (const request of this.#echo.seen.splice(0)) {
      assert.equal(wrongWith(request, this.#echo.port), undefined, JSON.stringify(request))
      this.#owe(request, -1)
      this.tally.passedOn++
    }
    for (const [what, count] of this.#owed) assert.ok(count >= 0, `it saw ${what}, which nobody asked for`)
    this.#owed.clear()
  }

  #owe(request: ReadRequest, count: number): void {
    const key = passed(request)
    this.#owed.set(key, (this.#owed.get(key) ?? 0) + count)
  }
}

describe('Mutated requests before a foreign server', { timeout: timeoutMs }, () => {
  const opened = openOnce(async (t) => {
    const echo = await openStrictEcho(t)
    const gateway = await openGatewayBefore(t, echo.port)
    return { echo, gateway }
  })

  // Whatever nobody catches ends a gateway.
  const uncaught: unknown[] = []
  const note = (error: unknown): void => void uncaught.push(error)
  before(() => void process.on('uncaughtExceptionMonitor', note))
  after(() => void process.off('uncaughtExceptionMonitor', note))

  it('are refused where the body is wrong from its beginning, and nobody is harmed', async () => {
    const { echo, gateway } = opened()
    for (const chunks of ['xyz\r\n', '1\r\na\r\nxyz\r\n', '2\r\nabxx\r\n'])
      assert.match(await gateway.raw(post('Transfer-Encoding: chunked\r\n', chunks)), /^HTTP\/1\.1 400 /)
    assert.match(await gateway.raw(get('Connection: close\r\n')), /^HTTP\/1\.1 200 /)
    assert.deepEqual(uncaught, [])
    assert.deepEqual(echo.wrong, [])
    assert.equal(echo.seen.splice(0).length, 1)
  })

  it('are what it sees, or it sees nothing', async (t) => {
    const { echo, gateway } = opened()
    const campaign = new Campaign(gateway, echo)
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
    assert.deepEqual(uncaught, [])
    assert.ok(tally.passedOn > course.count / 5 && tally.refused > course.count / 10)
  })
})
