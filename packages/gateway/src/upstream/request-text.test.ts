import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { headText, linesOf, type RequestToSend } from './request-text.ts'

const request: RequestToSend = {
  method: 'GET',
  path: '/a?b=c',
  host: undefined,
  lines: 'x-a: b\r\n',
  body: undefined,
  bodyBytes: undefined,
}

describe('headText', () => {
  it('says what is asked, and how long the body is', () => {
    assert.equal(
      headText(request, 'a.test:80', ''),
      'GET /a?b=c HTTP/1.1\r\nhost: a.test:80\r\nx-a: b\r\n\r\n',
    )
    const post = { ...request, method: 'POST', host: 'b.test', lines: '' }
    assert.match(headText(post, 'a.test', ''), /host: b\.test\r\ncontent-length: 0\r\n\r\n$/)
    assert.match(
      headText({ ...post, body: {}, bodyBytes: 7 }, 'a.test', ''),
      /\r\ncontent-length: 7\r\n\r\n$/,
    )
    assert.match(headText({ ...post, body: {} }, 'a.test', ''), /\r\ntransfer-encoding: chunked\r\n\r\n$/)
    assert.match(
      headText(request, 'a.test', 'upgrade: websocket\r\n'),
      /\r\nx-a: b\r\nupgrade: websocket\r\n\r\n$/,
    )
  })

  it('says nothing that could be read as two requests', () => {
    for (const path of ['', 'a', '/a b', '/a\r\nx: y', '/\n', '/\xff', '//a\0'])
      assert.throws(
        () => headText({ ...request, path }, 'a.test', ''),
        { code: 'internal', executed: 'no' },
        path,
      )
    assert.throws(() => headText({ ...request, host: 'a\r\nb: c' }, 'a.test', ''), { code: 'internal' })
  })
})

describe('linesOf', () => {
  it('makes one line of a field, or none at all', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '\t', '\r', '\n', '\0', '\xff', 'ā') }), (value) => {
        if (/[\r\n\0ā]/.test(value)) assert.throws(() => linesOf(['x-a', value]), { code: 'internal' })
        else assert.equal(linesOf(['x-a', value]), `x-a: ${value}\r\n`)
      }),
    )
  })
})
