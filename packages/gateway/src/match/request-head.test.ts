import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type HeadRefusal, readHeadFields } from './head-fields.ts'
import { type RequestHead, readHead } from './request-head.ts'

const HOST = ['Host', 'gateway.test']

function read(method: string, target: string, headers: readonly string[] = []): RequestHead | HeadRefusal {
  return readHead(method, target, '1.1', readHeadFields([...HOST, ...headers]))
}

const isRefused = (head: RequestHead | HeadRefusal): head is HeadRefusal => 'why' in head

const method = fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', '')
const char = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  fc.constantFrom('/', '.', '%2e', '%2F', '%', '?', '#', '\\', '%00', '%c0%af'),
)
const target = fc.array(char, { maxLength: 20 }).map((parts) => `/${parts.join('')}`)
const name = fc.constantFrom(
  'Content-Length',
  'Transfer-Encoding',
  'Authorization',
  'X-Request-Id',
  'X_A',
  'Host',
  'X-A',
)
const header = fc.tuple(name, fc.oneof(fc.string(), fc.constantFrom('chunked', '5', '0', 'identity')))
const segment = fc
  .string({ minLength: 1, maxLength: 10 })
  .filter((text) => !/^\.{1,2}$|[/\\]|\p{Cc}/u.test(text))

describe('readHead', () => {
  it('gives a verdict on anything', () => {
    const version = fc.constantFrom('0.9', '1.0', '1.1', '2.0')
    fc.assert(
      fc.property(
        method,
        fc.oneof(target, fc.string()),
        version,
        fc.array(header),
        (its, path, http, headers) => {
          const head = readHead(its, path, http, readHeadFields(headers.flat()))
          if (isRefused(head)) assert.ok(head.status >= 400 && head.status <= 505)
        },
      ),
    )
  })

  it('lets no path through that could mean another one behind', () => {
    fc.assert(
      fc.property(target, (path) => {
        const head = read('GET', path)
        if (isRefused(head)) return
        const decoded = decodeURIComponent(head.path)
        assert.doesNotMatch(decoded, /[\\\0\r\n]|(?:^|\/)\.{1,2}(?:\/|$)/)
        assert.equal(decoded.split('/').length, head.path.split('/').length)
        // What a WHATWG parser makes of it is the same path.
        if (!head.path.startsWith('//'))
          assert.equal(new URL(`http://a.test${head.path}`).pathname, head.path)
      }),
    )
  })

  it('lets every path of honest segments through, as it is', () => {
    fc.assert(
      fc.property(
        fc.array(segment, { minLength: 1, maxLength: 5 }),
        fc.webQueryParameters(),
        (segments, search) => {
          const path = `/${segments.map(encodeURIComponent).join('/')}`
          const query = new URLSearchParams(search).toString()
          const head = read('GET', `${path}?${query}`)
          if (isRefused(head)) assert.match(head.why, /escape/)
          else assert.deepEqual([head.path, head.search], [path, query])
        },
      ),
    )
  })

  it('never sees a body whose length two servers could take for different', () => {
    const framing = fc.tuple(
      fc.constantFrom('Content-Length', 'Transfer-Encoding', 'transfer-encoding'),
      fc.constantFrom('chunked', 'identity', '5', '0', '+5', ''),
    )
    fc.assert(
      fc.property(fc.array(framing, { maxLength: 3 }), (headers) => {
        const head = read('POST', '/', headers.flat())
        if (isRefused(head)) return
        const of = (wanted: string): string[] =>
          headers.filter(([its]) => its.toLowerCase() === wanted).map(([, value]) => value)
        const [lengths, encodings] = [of('content-length'), of('transfer-encoding')]
        assert.ok(lengths.length + encodings.length <= 1)
        assert.ok(encodings.every((value) => value === 'chunked'))
        assert.equal(head.contentLength, lengths.length === 0 ? undefined : Number(lengths[0]))
        assert.equal(head.hasBody, encodings.length > 0 || Number(lengths[0] ?? 0) > 0)
      }),
    )
  })

  it('takes no header twice that it looks at', () => {
    const names = [
      'Authorization',
      'X-Api-Key',
      'X-Request-Id',
      'Idempotency-Key',
      'If-Match',
      'If-None-Match',
      'Origin',
      'Traceparent',
      'User-Agent',
      'Content-Type',
      'Content-Encoding',
      'Access-Control-Request-Method',
      'Host',
    ]
    for (const its of names) {
      const head = read('GET', '/', [its, 'a', its.toUpperCase(), 'a'])
      assert.ok(isRefused(head) && head.status === 400, its)
    }
    const forwarded = read('GET', '/', ['X-Forwarded-For', '1.1.1.1', 'x-forwarded-for', '2.2.2.2'])
    assert.ok(!isRefused(forwarded) && forwarded.forwardedFor === '1.1.1.1,2.2.2.2')
  })

  it('takes the preferences of several fields for one list', () => {
    const prefer = (...values: string[]) => {
      const head = read(
        'POST',
        '/',
        values.flatMap((value) => ['Prefer', value]),
      )
      return isRefused(head) ? head.why : head.prefer
    }
    assert.equal(prefer(), undefined)
    assert.equal(prefer('wait=10'), 'wait=10')
    assert.equal(prefer('respond-async', 'wait=10', ''), 'respond-async,wait=10,')
  })
})
