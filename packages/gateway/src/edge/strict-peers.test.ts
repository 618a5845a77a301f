/**
 * Other people's proxies in front of the gateway and behind it. Two servers in a row that see two different requests in the same bytes are
 * how requests are smuggled, so for every request of the corpora, and for mutated ones:
 *
 * - in front: what a server sees behind proxy and gateway, it sees behind the proxy alone;
 * - behind: what a server sees behind gateway and proxy, it sees behind the gateway alone;
 * - and whoever asks next gets the answer to what he has asked, on the connections that the two keep.
 *
 * Each may refuse what the other takes. As a test with some of the requests, and by `npm run test:http` with all. Skipped where a proxy is not
 * installed (Debian: `nginx-light`, `haproxy`, `apache2-bin`).
 *
 * @module
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { seededRandom } from '@flotilla/core/random'
import { openOnce } from './open-once.test.ts'
import { readAnswers } from './strict-answers.test.ts'
import { converse } from './strict-converse.test.ts'
import { openGatewayBefore, openStrictEcho, type StrictEcho } from './strict-echo.test.ts'
import { mutated } from './strict-mutations.test.ts'
import { firstCase, timeoutMs, wanted } from './strict-options.test.ts'
import { installed, openPeer, type PeerKind, peers } from './strict-peer.test.ts'
import { originOf, type ReadRequest } from './strict-reader.test.ts'
import { refusedFields } from './strict-refused-fields.test.ts'
import { refusedFramings } from './strict-refused-framing.test.ts'
import { refusedLines } from './strict-refused-lines.test.ts'
import { get } from './strict-requests.test.ts'
import { taken } from './strict-taken.test.ts'

const FOLLOWING = get('', '/api/v1/seen/smuggled')
const LAST = get('Connection: close\r\n', '/api/v1/seen/last')
/** Of the corpora, in the test. */
const ONE_IN = wanted === undefined ? 8 : 1
const MUTATED = wanted === undefined ? 40 : Math.min(wanted, 20_000)
/** What still waits then waits for more. */
const HANG_UP_MS = 400
const LAST_HANG_UP_MS = 4_000
const ASKED_AGAIN_MAX = 5

type Bytes = readonly [what: string, bytes: string]

const corpus: readonly Bytes[] = [
  ...[...refusedFramings, ...refusedFields, ...refusedLines].flatMap(({ cases, isOpenEnded = false }) =>
    Object.entries(cases).map(
      ([what, bytes]): Bytes => [what, isOpenEnded ? bytes : bytes + FOLLOWING + LAST],
    ),
  ),
  ...taken.flatMap(({ cases }) => Object.entries(cases).map(([what, bytes]): Bytes => [what, bytes + LAST])),
].filter((_, index) => index % ONE_IN === 0)

function mutation(index: number): Bytes {
  const number = firstCase + index
  return [`case ${number}`, mutated(seededRandom(number), `n${number}`).pieces.join('') + LAST]
}

/** What is to be seen of a request, whoever wrote its target. */
function keyOf({ method, target, body }: ReadRequest): string {
  const path = target.slice(originOf(target).length).replace(/\?$/, '')
  return JSON.stringify([method, path === '' ? '/' : path, body])
}

/** The first that `some` has more often than `all`. */
function beyond(some: readonly ReadRequest[], all: readonly ReadRequest[]): string | undefined {
  const left = all.map(keyOf)
  for (const key of some.map(keyOf)) {
    const at = left.indexOf(key)
    if (at < 0) return key
    left.splice(at, 1)
  }
  return undefined
}

/** Everything that is open for one proxy. */
interface Bench {
  /** Ways to the servers. */
  readonly ways: {
    readonly both: number
    readonly proxy: number
    readonly behind: number
    readonly gateway: number
  }
  /** Behind proxy and gateway, or the gateway alone. */
  readonly front: StrictEcho
  /** Behind the proxy alone. */
  readonly alone: StrictEcho
  /** Behind gateway and proxy. */
  readonly behind: StrictEcho
}

async function openBench(t: { after(cleanUp: () => Promise<void>): void }, kind: PeerKind): Promise<Bench> {
  const [front, alone, behind] = [await openStrictEcho(t), await openStrictEcho(t), await openStrictEcho(t)]
  const gateway = await openGatewayBefore(t, front.port)
  const [both = 0, proxy = 0, toBehind = 0] = await openPeer(t, kind, [gateway.port, alone.port, behind.port])
  const before = await openGatewayBefore(t, toBehind)
  return { ways: { both, proxy, behind: before.port, gateway: gateway.port }, front, alone, behind }
}

let asked = 0

/** Asks for something that nobody has asked for, and gets that. */
async function askNext(port: number): Promise<void> {
  for (let again = 0; again < ASKED_AGAIN_MAX; again++) {
    const target = `/api/v1/seen/next-${++asked}`
    const { text } = await converse(port, [get('Connection: close\r\n', target)], () => false)
    const [, status = '', body = ''] = /^HTTP\/1\.1 (\d+)[\s\S]*?\r\n\r\n([\s\S]*)$/.exec(text) ?? []
    // The connection it kept was just closed: told, and no harm.
    if (status.startsWith('5')) continue
    assert.equal(status, '200', text)
    assert.ok(body.includes(`"${target}"`), `${target} was answered by ${body}`)
    return
  }
  assert.fail('nobody answers')
}

/** What came through where, of bytes that are sent every way. */
interface Through {
  readonly both: readonly ReadRequest[]
  readonly proxy: readonly ReadRequest[]
  readonly gatewayFirst: readonly ReadRequest[]
  readonly gateway: readonly ReadRequest[]
}

async function passThrough(
  { ways, front, alone, behind }: Bench,
  bytes: string,
  hangUpMs: number,
): Promise<Through> {
  const isEnough = (text: string): boolean =>
    readAnswers(text, () => false).answers.some(({ body }) => body.includes('/last"'))
  const send = (port: number) => converse(port, [bytes], isEnough, hangUpMs)
  const seen = ({ seen: its }: StrictEcho): ReadRequest[] =>
    its.splice(0).filter(({ target }) => !target.includes('/next-'))
  await Promise.all([send(ways.both), send(ways.proxy), send(ways.behind)])
  const [both, proxy, gatewayFirst] = [seen(front), seen(alone), seen(behind)]
  await send(ways.gateway)
  return { both, proxy, gatewayFirst, gateway: seen(front) }
}

/** What is wrong; undefined when nothing is. */
function difference({ both, proxy, gatewayFirst, gateway }: Through): string | undefined {
  const inFront = beyond(both, proxy)
  if (inFront !== undefined) return `the gateway behind the proxy sees ${inFront}`
  const atBack = beyond(gatewayFirst, gateway)
  return atBack === undefined ? undefined : `the proxy behind the gateway sees ${atBack}`
}

/** How many requests came through. */
async function differ(bench: Bench, [what, bytes]: Bytes): Promise<number> {
  let through = await passThrough(bench, bytes, HANG_UP_MS)
  // We may have hung up on one that was about to answer.
  if (difference(through) !== undefined) through = await passThrough(bench, bytes, LAST_HANG_UP_MS)
  assert.equal(difference(through), undefined, `${what}: ${JSON.stringify(bytes)}`)
  await Promise.all([askNext(bench.ways.both), askNext(bench.ways.behind)])
  const wrong = [bench.front.wrong, bench.behind.wrong]
  assert.deepEqual(wrong, [[], []], `${what}: ${JSON.stringify(bytes)}`)
  return through.both.length + through.gatewayFirst.length
}

for (const kind of peers) {
  const skip = installed(kind) === undefined && `${kind.name} is not installed`
  describe(`${kind.name} before and behind the gateway`, { timeout: timeoutMs, skip }, () => {
    const bench = openOnce((t) => openBench(t, kind))

    it('sees the requests that the gateway sees', async (t) => {
      let [cases, seen] = [0, 0]
      const look = async (one: Bytes): Promise<void> => {
        seen += await differ(bench(), one)
        cases++
      }
      for (const one of corpus) await look(one)
      for (let index = 0; index < MUTATED; index++) await look(mutation(index))
      const { wrong } = bench().alone
      t.diagnostic(
        `${cases} cases, ${seen} requests that came through; ${wrong.length} times ${kind.name} passes on what is none`,
      )
      assert.ok(seen > cases / 2)
    })
  })
}
