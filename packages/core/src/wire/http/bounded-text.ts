/**
 * How long a body may be, and reading one that comes from elsewhere within that.
 *
 * @module
 */
import { FlotillaError } from '../../kernel/error.ts'

/** Bytes a request or an answer between services may have: as much as a frame. */
export const BODY_BYTES_MAX = 4 * 1024 * 1024

/**
 * The whole of `chunks` as text.
 *
 * @throws FlotillaError `internal` as soon as they are more than `bytesMax`.
 */
export async function boundedText(chunks: AsyncIterable<Buffer>, bytesMax: number): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const chunk of chunks) {
    bytes += chunk.length
    if (bytes > bytesMax) throw new FlotillaError('internal', `The answer is longer than ${bytesMax} bytes.`)
    parts.push(chunk)
  }
  return Buffer.concat(parts).toString('utf8')
}

/** A request that cannot be taken because its body has more than `BODY_BYTES_MAX` bytes. */
export function tooLong(): FlotillaError {
  return new FlotillaError('resource_exhausted', `A body may have ${BODY_BYTES_MAX} bytes.`, {
    executed: 'no',
    status: 413,
    isExhausted: true,
  })
}
