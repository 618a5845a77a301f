/**
 * The sending half of a connection: frames gather in a buffer and leave in one write when the event loop has gone through what there
 * is to read, or when there are enough of them.
 *
 * A write to a socket costs 5 to 10 µs however small it is; thirty-two calls made together cost one. The flush is scheduled with
 * `setImmediate`, which runs after all sockets that have something to read: the calls of sixty clients of a gateway, each of whom has a
 * socket of its own, still share the write. But not more than some 4 KiB: if everything waited, the two sides would take turns, one
 * idle while the other works through its batch (docs/decisions/0004-frames.md has the figures).
 *
 * @module
 */
import type { Socket } from 'node:net'
import { FlotillaError } from '../../kernel/error.ts'
import { HELLO_HEAD_BYTES, REPLY_HEAD_BYTES } from './format.ts'

const BUFFER_BYTES = 64 * 1024
/** A dozen calls of the usual size: enough to make the write cheap for each. */
const FLUSH_BYTES = 4 * 1024
const SPARES_MAX = 4

/** Writes frames to one socket. */
export class FrameWriter {
  /** Where the current frame is being written; changes when a frame outgrows it. */
  buffer: Buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES)
  /** Where the next byte goes. */
  position = 0
  readonly #socket: Socket
  readonly #spares: Buffer[] = []
  #isFlushScheduled = false

  constructor(socket: Socket) {
    this.#socket = socket
  }

  /** Bytes accepted and not yet handed to the system. */
  get unsentBytes(): number {
    return this.position + this.#socket.writableLength
  }

  /** Starts a frame with room for `headBytes`; returns where it starts. The head must be filled in by the caller. */
  begin(kind: number, headBytes: number): number {
    this.reserve(headBytes)
    const start = this.position
    const { buffer } = this
    buffer[start + 4] = kind
    buffer[start + 5] = 0
    buffer[start + 6] = 0
    buffer[start + 7] = 0
    this.position = start + headBytes
    return start
  }

  /** Starts a frame that belongs to a call. */
  beginFor(kind: number, call: number, flags = 0): number {
    const start = this.begin(kind, REPLY_HEAD_BYTES)
    this.buffer[start + 5] = flags
    writeUint32(this.buffer, start + 8, call)
    return start
  }

  /** Sends a frame that is nothing but its kind, and the call it belongs to if there is one. */
  send(kind: number, call?: number): void {
    if (this.#socket.destroyed) return
    const start = call === undefined ? this.begin(kind, HELLO_HEAD_BYTES) : this.beginFor(kind, call)
    this.end(start, Number.POSITIVE_INFINITY)
  }

  /** Adds bytes to the frame being written. */
  append(bytes: Buffer): void {
    this.reserve(bytes.length)
    bytes.copy(this.buffer, this.position)
    this.position += bytes.length
  }

  /** Makes room for `bytes` more at `position`. */
  reserve(bytes: number): void {
    const needed = this.position + bytes
    if (needed <= this.buffer.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.buffer.length * 2))
    this.buffer.copy(grown, 0, 0, this.position)
    this.buffer = grown
  }

  /**
   * Ends the frame that began at `start` and sends it with others of this turn of the event loop.
   *
   * @throws FlotillaError `resource_exhausted`, the frame taken back, when it is longer than `bytesMax`.
   */
  end(start: number, bytesMax: number): void {
    const bytes = this.position - start - 4
    if (bytes > bytesMax) {
      this.position = start
      throw new FlotillaError(
        'resource_exhausted',
        `The message has ${bytes} bytes, at most ${bytesMax} may be sent.`,
        {
          executed: 'no',
          isExhausted: true,
        },
      )
    }
    writeUint32(this.buffer, start, bytes)
    if (this.position >= FLUSH_BYTES) return this.flush()
    if (this.#isFlushScheduled) return
    this.#isFlushScheduled = true
    setImmediate(() => this.flush())
  }

  /** Takes back a frame that could not be finished. */
  discard(start: number): void {
    this.position = start
  }

  /** Sends what has gathered, now. */
  flush(): void {
    this.#isFlushScheduled = false
    if (this.position === 0 || this.#socket.destroyed) return
    const full = this.buffer
    const chunk = full.subarray(0, this.position)
    this.position = 0
    this.buffer = this.#spares.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES)
    // The system may still read from the buffer until the callback; a large one is left to the garbage collector.
    this.#socket.write(chunk, () => {
      if (full.length === BUFFER_BYTES && this.#spares.length < SPARES_MAX) this.#spares.push(full)
    })
  }
}

/** Writes big-endian; `Buffer.writeUInt32BE` checks its arguments, which costs more than the write. */
export function writeUint32(buffer: Buffer, at: number, value: number): void {
  buffer[at] = value >>> 24
  buffer[at + 1] = value >>> 16
  buffer[at + 2] = value >>> 8
  buffer[at + 3] = value
}

/** Reads big-endian; the caller knows that the bytes are there. */
export function readUint32(buffer: Buffer, at: number): number {
  return (
    (((buffer[at] as number) << 24) |
      ((buffer[at + 1] as number) << 16) |
      ((buffer[at + 2] as number) << 8) |
      (buffer[at + 3] as number)) >>>
    0
  )
}
