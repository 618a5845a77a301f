import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { describe, it } from 'node:test'
import { until } from '@flotilla/core/until'
import { sharedGateway } from './open-gateway.test.ts'
import { readAnswers } from './strict-answers.test.ts'
import { sharedStrictGateway } from './strict-gateway.test.ts'
import { refusedFields } from './strict-refused-fields.test.ts'
import { refusedFramings } from './strict-refused-framing.test.ts'
import { refusedLines } from './strict-refused-lines.test.ts'
import { get, post } from './strict-requests.test.ts'
import { taken } from './strict-taken.test.ts'

const HEAD_TIMEOUT_MS = 1_000
const CASES_MIN = 200
const refused = [...refusedFramings, ...refusedFields, ...refusedLines]
/** Behind every request that is refused: had it been taken, the service would have seen it. */
const FOLLOWING = get('', '/api/v1/seen/smuggled')
/** Ends what would stay. */
const LAST = get('Connection: close\r\n', '/nothing')

describe('The public server', { timeout: 120_000 }, () => {
  const gateway = sharedStrictGateway({ GATEWAY_HEAD_TIMEOUT_MS: String(HEAD_TIMEOUT_MS) })

  for (const { rule, statuses, cases, isOpenEnded = false } of refused) {
    for (const [what, bytes] of Object.entries(cases)) {
      it(`refuses ${what} (${rule})`, async () => {
        const { raw, calls } = gateway()
        calls.length = 0
        const texts = await Promise.all([raw(bytes), ...(isOpenEnded ? [] : [raw(bytes + FOLLOWING)])])
        for (const text of texts) {
          const { answers, interim, wrong } = readAnswers(text, () => bytes.startsWith('HEAD '))
          assert.equal(wrong, undefined)
          assert.deepEqual(interim, [])
          const [answer, ...more] = answers
          assert.deepEqual(more, [], 'one answer')
          assert.ok(statuses.includes(answer?.status ?? 0), `the status is ${answer?.status}`)
          assert.equal(answer?.headers.get('connection'), 'close')
          assert.equal(answer?.headers.get('content-type'), 'application/problem+json')
        }
        assert.deepEqual(calls, [], 'no service hears of it')
      })
    }
  }

  for (const { rule, seen, statuses, cases } of taken) {
    for (const [what, bytes] of Object.entries(cases)) {
      it(`takes ${what} (${rule})`, async () => {
        const { raw, calls } = gateway()
        calls.length = 0
        // Those that close by themselves have no last.
        const text = await raw(bytes + LAST)
        const { answers, interim, wrong } = readAnswers(text, () => false)
        assert.equal(wrong, undefined)
        const its = answers.filter(({ status }) => status !== 404)
        assert.deepEqual([...interim, ...its.map(({ status }) => status)], statuses ?? seen.map(() => 200))
        assert.deepEqual(
          calls.map(({ operation, input }) => ({ operation, input })),
          seen,
        )
        if (statuses?.includes(204)) return
        assert.deepEqual(
          its.map(({ body }) => JSON.parse(Buffer.from(body, 'latin1').toString('utf8'))),
          seen,
        )
      })
    }
  }

  it('is shown by enough cases', () => {
    const count = (rules: readonly { readonly cases: object }[]): number =>
      rules.reduce((sum, { cases }) => sum + Object.keys(cases).length, 0)
    assert.ok(count(refused) >= CASES_MIN, `${count(refused)} refused`)
    assert.ok(count(taken) >= 100, `${count(taken)} taken`)
  })
})

describe('A connection with several requests', { timeout: 60_000 }, () => {
  const gateway = sharedGateway()
  const THINGS = get('', '/api/v1/things')
  const statusesOf = (text: string): readonly number[] =>
    readAnswers(text, () => false).answers.map(({ status }) => status)

  it('answers what came before a malformed request, and then closes', async () => {
    const { raw, held, calls } = gateway()
    const malformed = get('X-A : b\r\n')
    assert.deepEqual(statusesOf(await raw(THINGS + malformed)), [200, 400])
    const before = calls.length
    const answers = raw(get('', '/api/v1/hold') + malformed)
    await until('the call has begun', () => calls.length > before)
    held.at(-1)?.letGo()
    // In this order: the refusal must not be taken for the answer to the first.
    assert.deepEqual(statusesOf(await answers), [200, 400])
  })

  it('takes nothing behind a request that it refuses, and nothing behind an expectation it does not know', async () => {
    const { raw, calls } = gateway()
    const before = calls.length
    assert.deepEqual(statusesOf(await raw(THINGS + get('Host: evil.test\r\n') + THINGS)), [200, 400])
    assert.deepEqual(calls.slice(before), ['list'])
    const unknown = post('Expect: a\r\nTransfer-Encoding: chunked\r\n', 'xyz\r\n')
    assert.deepEqual(statusesOf(await raw(unknown)), [417])
  })

  it('takes nothing behind a refusal that the client has not waited for', async () => {
    const { raw, calls, port } = gateway()
    const before = calls.length
    const NOTHING = get('', '/nothing')
    assert.deepEqual(statusesOf(await raw(NOTHING + THINGS)), [404])
    assert.deepEqual(statusesOf(await raw(THINGS + NOTHING + THINGS)), [200, 404])
    assert.deepEqual(calls.slice(before), ['list'])
    // Who waits goes on.
    const last = get('Connection: close\r\n', '/api/v1/things')
    const socket = connect(port, '127.0.0.1')
    let text = ''
    socket.on('data', (part) => {
      text += part.toString('latin1')
    })
    socket.write(NOTHING)
    await until('it is refused', () => text.includes('"traceId"'))
    socket.write(last)
    await until('it is over', () => socket.destroyed)
    assert.deepEqual(statusesOf(text), [404, 200])
  })

  it('asks for no body that it refuses', async () => {
    const { raw } = gateway()
    const asking = post('Expect: 100-continue\r\nHost: evil.test\r\nContent-Length: 12\r\n', '')
    const { answers, interim } = readAnswers(await raw(asking), () => false)
    assert.deepEqual([interim, answers.map(({ status }) => status)], [[], [400]])
  })

  it('never answers in the middle of a stream', async () => {
    const { raw, held, calls } = gateway()
    const before = calls.length
    const heldBefore = held.length
    const answer = raw(get('', '/api/v1/watch') + get('X-A : b\r\n'))
    await until('the stream waits', () => held.length > heldBefore)
    held.at(-1)?.letGo()
    assert.doesNotMatch(await answer, /HTTP\/1\.1 400/)
    assert.deepEqual(calls.slice(before), ['watch'])
  })

  it('closes on CONNECT', async () => {
    const { raw } = gateway()
    assert.deepEqual(
      statusesOf(await raw('CONNECT evil.test:80 HTTP/1.1\r\nHost: evil.test:80\r\n\r\n')),
      [501],
    )
  })
})
