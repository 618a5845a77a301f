import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { HeadReader } from './head-reader.ts'

const name = fc.stringMatching(/^[!#$%&'*+\-.^`|~0-9A-Za-z]{1,10}$/)
const value = fc.stringMatching(/^(?:[!-~](?:[\t -~]{0,10}[!-~])?)?$/)
const field = fc.tuple(name, value, fc.constantFrom('', ' ', '\t '))
const HOST = '\r\nHost: a.test'

describe('HeadReader', () => {
  it('reads what was written, and nothing that has a line end within', () => {
    const bads = fc.constantFrom('', '\n', '\r', '\0', '\r\n ', '\r\nX\r\n')
    fc.assert(
      fc.property(fc.array(field, { maxLength: 5 }), bads, (its, bad) => {
        const lines = its.map(([one, text, space]) => `\r\n${one}:${space}${text}${space}`).join('')
        const read = new HeadReader().read(`GET /a HTTP/1.1${HOST}${lines}`)
        assert.deepEqual(read?.line, { method: 'GET', target: '/a', httpVersion: '1.1' })
        if (!('why' in read.head))
          assert.deepEqual(read.head.rawHeaders, ['Host', 'a.test', ...its.flatMap((one) => one.slice(0, 2))])
        if (bad !== '')
          assert.equal(new HeadReader().read(`GET /a HTTP/1.1${HOST}${lines}\r\nX-A: b${bad}c`), undefined)
      }),
    )
  })

  it('never throws', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void new HeadReader().read(text)))
  })

  it('reads every head of a connection as if it were the first', () => {
    const line = fc.constantFrom(
      'GET /a HTTP/1.1',
      'GET /b?c HTTP/1.1',
      'POST /a HTTP/1.1',
      'GET /a HTTP/1.0',
      'GET',
      'GET http://b.test/ HTTP/1.1',
    )
    const fields = fc.constantFrom(
      HOST,
      `${HOST}\r\nContent-Length: 5`,
      `${HOST}\r\ncontent-length: 5`,
      `${HOST}\r\nConnection: close`,
      `${HOST}\r\nAuthorization: a`,
      `${HOST}\r\nAuthorization: b`,
      `${HOST}\r\nX-A: \0`,
      `${HOST}\r\nX-Long: ${'x'.repeat(5_000)}`,
      '\r\nHost: b.test',
      '\r\nHost: a b',
      '\r\n',
      '',
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(line, fields), { maxLength: 20 }), (heads) => {
        const reader = new HeadReader()
        for (const head of heads)
          assert.deepEqual(reader.read(head.join('')), new HeadReader().read(head.join('')))
      }),
    )
  })
})
