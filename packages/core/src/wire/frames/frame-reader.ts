/**
 * The receiving half of a connection: cuts the byte stream into frames. A frame that lies whole in a chunk is handed
 * on as a view of it; only one that spans chunks is copied together, once, when its last byte is there.
 *
 * @module
 */
import { protocolError } from './format.ts'
import { readUint32 } from './frame-writer.ts'

const LENGTH_BYTES = 4
/** The shortest frame: a length and a head of four bytes. */
const FRAME_BYTES_MIN = 8
/** Chunks kept apart; a peer that sends a long frame byte by byte must not make us hold an object for each. */
const PARTS_MAX = 1_024

/** Takes each frame, its length field included. */
export type OnFrame = (frame: Buffer) => void

/** Cuts chunks into frames. */
export class FrameReader {
  readonly #onFrame: OnFrame
  readonly #bytesMax: number
  #parts: Buffer[] = []
  #partBytes = 0
  /** Bytes the frame at the head of `#parts` has; 0 while its length is not known. */
  #wantedBytes = 0

  constructor(bytesMax: number, onFrame: OnFrame) {
    this.#bytesMax = bytesMax
    this.#onFrame = onFrame
  }

  /**
   * Takes the next bytes.
   *
   * @throws FlotillaError when a frame is longer than allowed or shorter than possible.
   */
  push(chunk: Buffer): void {
    if (this.#partBytes === 0) {
      this.#keep(chunk.subarray(this.#cut(chunk)))
      return
    }
    this.#keep(chunk)
    if (this.#wantedBytes === 0 && this.#partBytes >= LENGTH_BYTES) {
      this.#wantedBytes = this.#frameBytes(this.#joined(), 0)
    }
    if (this.#wantedBytes === 0 || this.#partBytes < this.#wantedBytes) return
    const all = this.#joined()
    this.#parts = []
    this.#partBytes = 0
    this.#wantedBytes = 0
    this.#keep(all.subarray(this.#cut(all)))
  }

  /** Hands on every whole frame; returns where the first incomplete one begins. */
  #cut(bytes: Buffer): number {
    let at = 0
    while (bytes.length - at >= LENGTH_BYTES) {
      const frameBytes = this.#frameBytes(bytes, at)
      if (bytes.length - at < frameBytes) {
        this.#wantedBytes = frameBytes
        break
      }
      this.#onFrame(bytes.subarray(at, at + frameBytes))
      at += frameBytes
    }
    return at
  }

  #keep(rest: Buffer): void {
    if (rest.length === 0) return
    this.#parts.push(rest)
    this.#partBytes += rest.length
    if (this.#parts.length > PARTS_MAX) this.#joined()
  }

  #joined(): Buffer {
    if (this.#parts.length > 1) this.#parts = [Buffer.concat(this.#parts, this.#partBytes)]
    return this.#parts[0] as Buffer
  }

  #frameBytes(bytes: Buffer, at: number): number {
    const frameBytes = readUint32(bytes, at) + LENGTH_BYTES
    if (frameBytes > this.#bytesMax + LENGTH_BYTES) throw protocolError(`a frame of ${frameBytes} bytes`)
    if (frameBytes < FRAME_BYTES_MIN) throw protocolError('a frame without a head')
    return frameBytes
  }
}
