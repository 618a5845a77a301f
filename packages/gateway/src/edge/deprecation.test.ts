/** Versions beside each other, and the end of the old one, as clients see them. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { openApiDocument } from '@flotilla/core/openapi'
import fc from 'fast-check'
import { docsPage } from '../docs/docs-page.ts'
import { deprecationFieldsOf } from './deprecation.ts'
import { openTestGateway, sharedGateway } from './open-gateway.test.ts'
import { things } from './things.test.ts'

const SINCE = `@${Date.UTC(2026, 10, 1) / 1_000}`
const SUNSET = 'Sat, 01 May 2027 00:00:00 GMT'
const link = (path: string): string => `<${path}>; rel="successor-version"`

/** An answer as it came. */
function read(text: string): { status: number; fields: ReadonlyMap<string, string>; body: string } {
  const [head = '', body = ''] = text.split('\r\n\r\n', 2)
  const [line = '', ...lines] = head.split('\r\n')
  const fields = lines.map(
    (one) => [one.split(': ', 1)[0]?.toLowerCase() ?? '', one.split(': ')[1] ?? ''] as const,
  )
  return { status: Number(line.split(' ')[1]), fields: new Map(fields), body }
}

describe('Versions at the edge', () => {
  const gateway = sharedGateway()
  const ask = async (method: string, path: string, more = '') =>
    read(await gateway().raw(`${method} ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${more}\r\n`))

  it('stand beside each other on one route, each with its own methods', async () => {
    const [v1, v2] = [await ask('GET', '/api/v1/sizes/a'), await ask('GET', '/api/v2/sizes/a')]
    assert.deepEqual(
      [v1.status, v1.body, v2.status, v2.body],
      [200, '{"id":"a","version":1}', 200, '{"id":"a","size":2}'],
    )
    assert.deepEqual(gateway().calls.slice(-2), ['size', 'sizeV2'])
    for (const [path, body, methods] of [
      ['/api/v1/sizes/a', v1.body, 'OPTIONS, HEAD, GET, PUT'],
      ['/api/v2/sizes/a', v2.body, 'OPTIONS, HEAD, GET'],
    ] as const) {
      const head = await ask('HEAD', path)
      assert.deepEqual(
        [head.status, head.fields.get('content-length'), head.body],
        [200, String(body.length), ''],
      )
      const options = await ask('OPTIONS', path)
      assert.deepEqual([options.status, options.fields.get('allow')], [204, methods])
      const other = await ask('DELETE', path)
      assert.deepEqual([other.status, other.fields.get('allow')], [405, methods])
    }
    assert.equal((await ask('PUT', '/api/v2/sizes/a')).status, 405)
    for (const path of ['/api/v3/sizes/a', '/api/v2/things', '/api/v02/sizes/a', '/api/V2/sizes/a'])
      assert.equal((await ask('GET', path)).status, 404, path)
  })
})

describe('An operation that is going to go', () => {
  const gateway = sharedGateway()
  const endOf = (headers: Readonly<Record<string, unknown>>) => [
    headers['deprecation'],
    headers['sunset'],
    headers['link'],
  ]

  it('says so in every answer, kept ones and errors among them, and what to ask instead', async () => {
    const { ask, app } = gateway()
    const path = '/api/v1/sizes/a%20%3E%2C%22%C3%A4'
    const end = [SINCE, SUNSET, link('/api/v2/sizes/a%20%3E%2C%22%C3%A4')]
    const first = await ask(path)
    const kept = await ask(path)
    const same = await ask(path, { headers: { 'if-none-match': String(first.headers.etag) } })
    const head = await ask(path, { method: 'HEAD' })
    const answers = [first, kept, same, head]
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 304, 200],
    )
    assert.match(String(kept.headers['cache-status']), /hit/)
    for (const { headers } of answers) assert.deepEqual(endOf(headers), end)
    const gone = await ask('/api/v1/sizes/gone')
    assert.deepEqual([gone.status, ...endOf(gone.headers)], [404, SINCE, SUNSET, link('/api/v2/sizes/gone')])
    const wrong = await ask('/api/v1/sizes/a?colour=red')
    assert.deepEqual([wrong.status, ...endOf(wrong.headers)], [400, SINCE, SUNSET, link('/api/v2/sizes/a')])
    assert.match(
      app.hosts[0]?.metrics.toPrometheus() ?? '',
      /flotilla_gateway_deprecated_requests_total\{operation="things.size",tier="-"\} 6\n/,
    )
  })

  it('leaves out what is not known: the day of its end, or what to ask instead', async () => {
    const { ask, token, app } = gateway()
    const later = `@${Date.UTC(2027, 10, 1) / 1_000}`
    assert.deepEqual(endOf((await ask('/api/v1/sizes')).headers), [later, undefined, link('/api/v2/sizes')])
    const put = { method: 'PUT', json: {} }
    const refused = await ask('/api/v1/sizes/a', put)
    assert.deepEqual([refused.status, ...endOf(refused.headers)], [401, SINCE, undefined, undefined])
    const authorization = `Bearer ${await token('u1', { tier: 'premium' })}`
    const done = await ask('/api/v1/sizes/a', { ...put, headers: { authorization, 'if-match': '"3"' } })
    assert.deepEqual([done.status, ...endOf(done.headers)], [200, SINCE, undefined, undefined])
    const metrics = app.hosts[0]?.metrics.toPrometheus() ?? ''
    for (const tier of ['-', 'premium'])
      assert.ok(
        metrics.includes(`deprecated_requests_total{operation="things.resize",tier="${tier}"} 1\n`),
        tier,
      )
  })

  it('is silent where nothing is going to go', async () => {
    const { ask } = gateway()
    for (const [path, method] of [
      ['/api/v2/sizes/a', 'GET'],
      ['/api/v1/things', 'GET'],
      ['/api/v1/sizes/a', 'OPTIONS'],
      ['/api/v1/sizes/a', 'POST'],
    ] as const)
      assert.deepEqual(endOf((await ask(path, { method })).headers), [undefined, undefined, undefined], path)
  })

  it('says so also when the operator refuses it, and is counted', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'flotilla-policies-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const policies = join(folder, 'policies.yaml')
    writeFileSync(
      policies,
      'gateway: { routes: [{ match: { path: "/api/v1/sizes/{id}", methods: [GET] }, refuse: { status: 410 } }] }',
    )
    const { ask, app } = await openTestGateway(t, { FLOTILLA_POLICIES: policies })
    const { status, headers } = await ask('/api/v1/sizes/a')
    assert.deepEqual([status, ...endOf(headers)], [410, SINCE, SUNSET, link('/api/v2/sizes/a')])
    assert.equal((await ask('/api/v2/sizes/a')).status, 200)
    assert.match(
      app.hosts[0]?.metrics.toPrometheus() ?? '',
      /deprecated_requests_total\{[^}]*size"[^}]*\} 1\n/,
    )
  })

  it('is marked on the documentation page', () => {
    const { html } = docsPage(openApiDocument({ title: 'x', version: '1', contracts: [things] }))
    assert.match(
      html,
      /<a class="old" href="#things\.size"><span class="GET">GET<\/span> \/sizes\/\{id\}<\/a>/,
    )
    assert.match(html, /<a href="#things\.sizeV2"><span class="GET">GET<\/span> \/v2\/sizes\/\{id\}<\/a>/)
    assert.match(html, /\/api\/v1\/sizes\/\{id\} <em>deprecated<\/em><\/h3>/)
    assert.match(
      html,
      /Deprecated since 2026-11-01; use things\.sizeV2 instead; it may be gone from 2027-05-01 on\./,
    )
    assert.doesNotMatch(html, /\/api\/v2\/sizes\/\{id\} <em>/)
  })
})

describe('deprecationFieldsOf', () => {
  it('deprecationFieldsOf makes links that no parameter gets out of', () => {
    const fieldsOf = deprecationFieldsOf(things.operations.size, [things])
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }).filter((text) => !/^\.\.?$/.test(text)),
        (id) => {
          const [, target = ''] =
            /^<([^<>"\s]*)>; rel="successor-version"$/.exec(fieldsOf?.({ id })[5] ?? '') ?? []
          assert.equal(new URL(target, 'http://a').pathname, target)
          assert.equal(decodeURIComponent(target.slice('/api/v2/sizes/'.length)), id)
        },
      ),
    )
  })
})
