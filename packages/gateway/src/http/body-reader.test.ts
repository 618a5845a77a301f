import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type BodyReader, ChunkedReader, LengthReader } from './body-reader.ts'
import { readRawHead } from './raw-head.ts'

/** What a reader makes of bytes that come in parts of these lengths, over and over. */
function readIn(
  reader: BodyReader,
  bytes: Buffer,
  lengths: readonly number[],
): { body: string; rest: string } {
  const parts: Buffer[] = []
  let at = 0
  for (let turn = 0; at < bytes.length && !reader.isComplete; turn++) {
    const part = bytes.subarray(at, at + (lengths[turn % lengths.length] as number))
    const stopped = reader.read(part, 0, (taken) => parts.push(Buffer.from(taken)))
    assert.ok(stopped === part.length || reader.isComplete)
    at += stopped
  }
  return { body: Buffer.concat(parts).toString('latin1'), rest: bytes.toString('latin1', at) }
}

const lengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 })
const data = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('latin1'))
const extension = fc.constantFrom('', ';a', ';a=b', ';a="b;\\" c"', ';a=b;c=d')
const trailers = fc.constantFrom('', 'X-A: b\r\n', 'X-A: b\r\nX-B:\r\n')

describe('A body', () => {
  it('in chunks is the same however it comes, and ends where it ends', () => {
    const chunk = fc.tuple(
      data.filter((text) => text !== ''),
      extension,
    )
    fc.assert(
      fc.property(
        fc.array(chunk, { maxLength: 5 }),
        trailers,
        data,
        lengths,
        (chunks, fields, behind, parts) => {
          const sent = chunks
            .map(([text, its]) => `${text.length.toString(16)}${its}\r\n${text}\r\n`)
            .join('')
          const bytes = Buffer.from(`${sent}0\r\n${fields}\r\n${behind}`, 'latin1')
          const reader = new ChunkedReader()
          assert.deepEqual(readIn(reader, bytes, parts), {
            body: chunks.map(([text]) => text).join(''),
            rest: behind,
          })
          assert.ok(reader.isComplete)
        },
      ),
    )
  })

  it('of a length is the same however it comes, and ends where it ends', () => {
    fc.assert(
      fc.property(data, data, lengths, (text, behind, parts) => {
        const reader = new LengthReader(text.length)
        const bytes = Buffer.from(text + behind, 'latin1')
        assert.deepEqual(readIn(reader, bytes, parts), { body: text, rest: behind })
      }),
    )
  })
})

describe('readRawHead', () => {
  it('reads what was written, and nothing that has a line end within', () => {
    const name = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,10}$/)
    const value = fc.stringMatching(/^(?:[!-~](?:[\t -~]{0,10}[!-~])?)?$/)
    const fields = fc.array(fc.tuple(name, value, fc.constantFrom('', ' ', '\t ')), { maxLength: 5 })
    fc.assert(
      fc.property(fields, fc.constantFrom('', '\n', '\r', '\0', '\r\n ', '\r\nX\r\n'), (its, bad) => {
        const lines = its.map(([one, text, space]) => `\r\n${one}:${space}${text}${space}`).join('')
        assert.deepEqual(readRawHead(`GET /a HTTP/1.1${lines}`), {
          method: 'GET',
          target: '/a',
          httpVersion: '1.1',
          rawHeaders: its.flatMap((field) => field.slice(0, 2)),
        })
        if (bad !== '') assert.equal(readRawHead(`GET /a HTTP/1.1${lines}\r\nX-A: b${bad}c`), undefined)
      }),
    )
  })

  it('never throws', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void readRawHead(text)))
  })
})
