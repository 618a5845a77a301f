/**
 * How values become bodies of frames, agreed once per connection.
 *
 * - `json`: every language has it, and a gateway can pass the bytes on to an HTTP client without looking at them.
 * - `msgpack-records`: MessagePack in which the names of an object's fields travel once per connection and shape.
 *   Both ends keep a table of shapes, so *every* body must be decoded, in order, also of calls nobody waits for.
 *   A field named `__proto__`, which the edge refuses and only a service itself could make, arrives as `__proto_`.
 *
 * @module
 */
import { Packr, Unpackr } from 'msgpackr'
import type { EncodingName } from './format.ts'
import type { FrameWriter } from './frame-writer.ts'

/** One connection's encoder and decoder; both keep state. */
export interface Encoding {
  readonly name: EncodingName
  /** True when a body may be left undecoded. */
  readonly isStateless: boolean
  /** Appends a value to the frame being written. When that frame is then not sent, `forget` must be called. */
  encode(value: unknown, writer: FrameWriter): void
  /** The last value encoded will never arrive: assume nothing that it would have taught the other side. */
  forget(): void
  /** Reads the body that begins at `start` and ends with the frame. */
  decode(frame: Buffer, start: number): unknown
}

/** Opens an encoding for one connection. */
export function openEncoding(name: EncodingName): Encoding {
  return name === 'json' ? jsonEncoding : recordEncoding()
}

/** JSON: every connection may use it for single bodies, too. */
export const jsonEncoding: Encoding = {
  name: 'json',
  isStateless: true,
  encode(value, writer) {
    if (value === undefined) return
    const text = JSON.stringify(value)
    // No character of a JavaScript string takes more than three bytes of UTF-8.
    writer.reserve(text.length * 3)
    writer.position += writer.buffer.write(text, writer.position, 'utf8')
  },
  forget() {},
  decode(frame, start) {
    return start === frame.length ? undefined : JSON.parse(frame.toString('utf8', start))
  },
}

function recordEncoding(): Encoding {
  // msgpackr keeps its table *in the options object*: each must have one of its own.
  const options = () => ({ useRecords: true, sequential: true, moreTypes: false })
  let packr = new Packr(options())
  const unpackr = new Unpackr(options())
  return {
    name: 'msgpack-records',
    isStateless: false,
    encode(value, writer) {
      writer.append(packr.pack(value))
    },
    forget() {
      // A new table names every shape again before its first use, which replaces what the other side knew.
      packr = new Packr(options())
    },
    decode: (frame, start) => unpackr.unpack(frame.subarray(start)),
  }
}
