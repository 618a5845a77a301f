import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type BodyReader, ChunkedReader, LengthReader } from './body-reader.ts'
import { wholeBody } from './body-receiver.ts'

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

  it('in chunks may have as much framing as data, and 16 KiB more', () => {
    const read = (chunk: string, count: number): number =>
      readIn(new ChunkedReader(), Buffer.from(`${chunk.repeat(count)}0\r\n\r\n`), [65_536]).body.length
    assert.equal(read('5\r\nabcde\r\n', 100_000), 500_000)
    // Four bytes of each are too many.
    assert.equal(read('1\r\na\r\n', 4_000), 4_000)
    assert.throws(() => read('1\r\na\r\n', 4_100), /too small/)
    assert.throws(() => read(`1;${'a'.repeat(1_000)}\r\na\r\n`, 20), /too small/)
  })

  it('is whole in the end, in whatever parts it comes, and keeps none of them but the first', async () => {
    const parts = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 50 })
    await fc.assert(
      fc.asyncProperty(parts, async (sent) => {
        const expected = Buffer.concat(sent)
        const whole = wholeBody(expected.length, (receiver) => {
          for (const [index, bytes] of sent.entries()) {
            const part = Buffer.from(bytes)
            receiver.take(part)
            if (index > 0) part.fill(0)
          }
          receiver.done()
        })
        assert.deepEqual(await whole, expected)
      }),
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
