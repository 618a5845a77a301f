import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { HttpRequest } from '@flotilla/core/http-client'
import { createLogger } from '@flotilla/core/log'
import { Counter } from '@flotilla/core/metrics'
import { seededRandom } from '@flotilla/core/random'
import { VirtualClock } from '@flotilla/core/virtual-clock'
import type { Alert } from './alert.ts'
import type { Message } from './message.ts'
import { Notifier } from './notifier.ts'

const HOUR_MS = 3_600_000

/** A notifier in virtual time, and an outside that answers as it is told. */
function setUp(t: TestContext) {
  const clock = new VirtualClock()
  const asked: { readonly atMs: number; readonly url: string; readonly message: Message }[] = []
  const outside = { status: (_url: string): number => 200 }
  const alerts: Alert[] = []
  const log = createLogger({ level: 'silent', clock, fields: {} })
  const http = {
    async send({ url, body = '' }: HttpRequest) {
      asked.push({ atMs: clock.monotonicMs(), url, message: JSON.parse(body) as Message })
      return { status: outside.status(url), headers: {}, body: '' }
    },
    async close() {},
  }
  const notifier = new Notifier(
    {
      clock,
      random: seededRandom(1),
      http,
      log,
      consoleUrl: 'http://c',
      alerts: () => alerts,
      count: () => new Counter(),
      onKnown: () => {},
    },
    {},
  )
  t.after(() => notifier.close())
  const fire = (rule: string): void => {
    const sinceMs = clock.now()
    alerts.push({
      fingerprint: rule,
      rule,
      severity: 'warning',
      labels: {},
      summary: rule,
      value: 1,
      state: 'firing',
      sinceMs,
      heldMs: sinceMs,
    })
  }
  const to = (name: string) => asked.filter(({ url }) => url === `http://${name}/`)
  return { clock, notifier, outside, fire, to }
}

const hook = (name: string) => ({ webhook: { url: `http://${name}/` } })

describe('Notifier', () => {
  it('leaves who takes nothing alone for longer and longer, and tells others meanwhile', async (t) => {
    const { clock, notifier, outside, fire, to } = setUp(t)
    outside.status = (url) => (url === 'http://dead/' ? 503 : 200)
    await notifier.replace({ dead: hook('dead'), well: hook('well') })
    fire('full')
    await clock.advance(HOUR_MS)
    const times = to('dead').map(({ atMs }) => atMs)
    assert.ok(times.length >= 12 && times.length <= 80, `${times.length} attempts`)
    assert.deepEqual(notifier.troubles, [{ labels: { receiver: 'dead' }, why: 'http://dead answered 503' }])
    assert.equal(to('well').length, 1)
    outside.status = () => 200
    await clock.advance(310_000)
    assert.deepEqual(notifier.troubles, [])
    const attempts = to('dead').length
    await clock.advance(HOUR_MS)
    assert.equal(to('dead').length, attempts)
  })

  it('goes on with receivers of which nothing changed, and forgets those that have gone', async (t) => {
    const { clock, notifier, fire, to } = setUp(t)
    await notifier.replace({ one: hook('one'), two: hook('two') })
    fire('full')
    await clock.advance(10_000)
    await notifier.replace({ one: hook('one'), two: { ...hook('two'), repeat: '1h' } })
    await clock.advance(10_000)
    assert.deepEqual([to('one').length, to('two').length], [1, 1])
    await clock.advance(HOUR_MS)
    assert.deepEqual([to('one').length, to('two').length], [1, 2])
    await notifier.replace({ one: hook('one') })
    fire('other')
    await clock.advance(10_000)
    assert.deepEqual([to('one').length, to('two').length], [2, 2])
    assert.deepEqual(Object.keys(notifier.known), ['one'])
  })
})
