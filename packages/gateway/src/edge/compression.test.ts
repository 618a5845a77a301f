import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { Metrics } from '@flotilla/core/metrics'
import { until } from '@flotilla/core/until'
import { privateAnswer } from './answer.ts'
import { Compression, encodingFor } from './compression.ts'
import { type Answer, openTestGateway } from './open-gateway.test.ts'
import { openOnce } from './open-once.test.ts'

const readers = {
  br: (bytes: Buffer) => brotliDecompressSync(bytes),
  gzip: (bytes: Buffer) => gunzipSync(bytes),
}

describe('encodingFor', () => {
  it('takes the best that is accepted', () => {
    for (const [accepted, wanted] of [
      [undefined, undefined],
      ['', undefined],
      ['identity', undefined],
      ['gzip', 'gzip'],
      ['gzip, deflate, br, zstd', 'br'],
      ['GZIP;Q=1, br;q=0.9', 'gzip'],
      ['br;q=0, *', 'gzip'],
      ['*;q=0', undefined],
      ['gzip;q=0.001', 'gzip'],
      ['gzip;q=2', undefined],
      ['gzip;q', undefined],
      ['gzip;a=1;q=1', undefined],
      ['x-gzip, bro', undefined],
    ])
      assert.equal(encodingFor(accepted), wanted, accepted)
  })
})

describe('Compression', () => {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-policies-'))
  const path = join(folder, 'policies.json')
  const routes = [
    { match: { path: '/api/v1/echo' }, compress: true },
    { match: { path: '/api/v1/shelves/{id}', headers: { 'x-plain': '*' } }, compress: false },
  ]
  writeFileSync(path, JSON.stringify({ gateway: { routes } }))
  const gateway = openOnce(openTestGateway, { FLOTILLA_POLICIES: path })
  after(() => rmSync(folder, { recursive: true }))

  const asking = (encoding: string, more = {}) => ({ headers: { 'accept-encoding': encoding, ...more } })
  const fieldsOf = ({ headers }: Answer): unknown[] => [headers['content-encoding'], headers.vary]

  it('gives the same to who takes it so: pages, and what the gateway keeps', async () => {
    const { ask, app } = gateway()
    for (const at of ['/openapi.json', '/docs', '/api/v1/shelves/full']) {
      const plain = await ask(at)
      assert.deepEqual(fieldsOf(plain), [undefined, 'Accept-Encoding'])
      for (const encoding of ['br', 'gzip'] as const)
        for (let turn = 0; turn < 2; turn++) {
          const small = await ask(at, asking(encoding))
          assert.deepEqual(fieldsOf(small), [encoding, 'Accept-Encoding'])
          assert.equal(readers[encoding](small.bytes).toString(), plain.text)
          assert.equal(small.headers['content-length'], String(small.bytes.length))
          assert.ok(small.bytes.length < plain.bytes.length / 2, `${at} ${small.bytes.length}`)
          const head = await ask(at, { method: 'HEAD', ...asking(encoding) })
          assert.deepEqual(
            [head.headers['content-length'], head.bytes.length],
            [small.headers['content-length'], 0],
          )
        }
    }
    const { headers } = await ask('/api/v1/shelves/full', asking('br'))
    assert.match(String(headers.etag), /^W\/"/)
    const again = await ask('/api/v1/shelves/full', asking('br', { 'if-none-match': String(headers.etag) }))
    assert.equal(again.status, 304)
    assert.match(
      app.hostOf('gateway').metrics.toPrometheus(),
      /flotilla_gateway_compressed_bytes_total\{encoding="br",when="after"\} \d+/,
    )
  })

  it('leaves short ones, secrets, errors, streams and routes of which that is said as they are', async () => {
    const { ask, token, held } = gateway()
    const admin = { authorization: `Bearer ${await token('boss', { roles: ['admin'] })}` }
    for (const answer of [
      await ask('/api/v1/shelves/a', asking('br')),
      await ask('/api/v1/shelves/full', asking('br', admin)),
      await ask('/api/v1/shelves/full', asking('br', { 'x-plain': '1' })),
      await ask('/health', asking('br')),
      await ask(`/api/v1/nothing/${'x'.repeat(2_000)}`, asking('br')),
    ])
      assert.deepEqual(fieldsOf(answer), [undefined, undefined])
    const stream = ask('/api/v1/watch', asking('br'))
    await until('it streams', () => held.length > 0)
    held[0]?.letGo()
    assert.deepEqual(fieldsOf(await stream), [undefined, undefined])
  })

  it('makes also what is for one alone smaller where the operator wants it', async () => {
    const { ask } = gateway()
    const text = 'so '.repeat(1_000)
    const { bytes, headers } = await ask('/api/v1/echo', { json: { text }, ...asking('gzip, deflate') })
    assert.deepEqual([headers['content-encoding'], headers['cache-control']], ['gzip', 'no-store'])
    assert.deepEqual(JSON.parse(gunzipSync(bytes).toString()), { text })
  })

  it('does eight at once at the most; others go out as they are', async () => {
    const compression = new Compression(new Metrics())
    const answer = { ...privateAnswer(200, 'application/json', 'so '.repeat(1_000)), cacheControl: 'public' }
    const all = Array.from({ length: 20 }, () => compression.of(answer, 'br'))
    assert.equal(all.filter((its) => its instanceof Promise).length, 8)
    for (const its of await Promise.all(all)) {
      const isSmall = its.headers.includes('content-encoding')
      assert.equal(isSmall ? brotliDecompressSync(its.body).toString() : its.body, answer.body)
    }
    assert.ok(compression.of(answer, 'br') instanceof Promise)
    // What is the same is made once, and is no more work then.
    const kept = { ...answer, same: {} }
    const [one, other] = await Promise.all([compression.of(kept, 'br'), compression.of(kept, 'br')])
    assert.equal(one.body, other.body)
  })
})
