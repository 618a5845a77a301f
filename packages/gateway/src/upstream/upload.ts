/**
 * The sending half of a request that has a body: its head goes out with what is there of the body, the rest as it comes and as the server
 * takes it.
 *
 * @module
 */
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'

/** Pieces up to here go out together with what is before and behind them: a second write costs more than the copy. */
const TOGETHER_BYTES_MAX = 16 * 1024
const LAST_CHUNK = '0\r\n\r\n'

/** What it takes. */
export interface UploadOptions {
  readonly socket: Socket
  readonly body: Readable
  /** Bytes of the body; undefined: it goes in chunks. */
  readonly bytes: number | undefined
  /** Something was sent. */
  readonly onProgress: () => void
  /** There will be no whole body. */
  readonly onFail: (cause: Error) => void
}

/** A body on its way. */
export class Upload {
  readonly #options: UploadOptions
  /** Bytes that were promised and are still to come. */
  #left: number
  #isStopped = false
  /** True when the server has been sent all of it. */
  isSent = false

  constructor(options: UploadOptions) {
    this.#options = options
    this.#left = options.bytes ?? 0
  }

  /** Begins, with the head of the request. */
  start(head: string): void {
    const { body, onFail } = this.#options
    // It may have failed before.
    if (body.destroyed) return onFail(body.errored ?? new Error('The body is gone.'))
    const first = body.read() as Buffer | null
    this.#write(head, first ?? Buffer.alloc(0))
    if (this.#isStopped) return
    body.on('data', this.#onData)
    body.on('end', this.#onEnd)
    body.on('close', this.#onClose)
    if (this.#options.socket.writableNeedDrain) body.pause()
  }

  /** The server has taken what was sent. */
  drained(): void {
    if (!this.#isStopped) this.#options.body.resume()
  }

  /** Sends no more; a body of which something is left is of no use to anybody. */
  stop(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    const { body } = this.#options
    body.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose)
    if (!this.isSent) body.destroy()
  }

  readonly #onData = (part: Buffer): void => {
    this.#write('', part)
    const { body, socket, onProgress } = this.#options
    if (socket.writableNeedDrain) body.pause()
    onProgress()
  }

  readonly #onEnd = (): void => {
    const { bytes, socket, onFail, onProgress } = this.#options
    if (this.#left > 0) return onFail(new Error('The body is shorter than it was said to be.'))
    if (bytes === undefined) socket.write(LAST_CHUNK, 'latin1')
    this.isSent = true
    onProgress()
  }

  readonly #onClose = (): void => {
    if (!this.isSent) this.#options.onFail(this.#options.body.errored ?? new Error('The body is gone.'))
  }

  #write(head: string, part: Buffer): void {
    const { bytes, socket, onFail } = this.#options
    const isChunked = bytes === undefined
    if (!isChunked && part.length > this.#left)
      return onFail(new Error('The body is longer than it was said to be.'))
    this.#left -= isChunked ? 0 : part.length
    // An empty chunk would be the last.
    const isChunk = isChunked && part.length > 0
    const before = isChunk ? `${head}${part.length.toString(16)}\r\n` : head
    const after = isChunk ? '\r\n' : ''
    if (part.length <= TOGETHER_BYTES_MAX) {
      const text = before + part.toString('latin1') + after
      if (text !== '') socket.write(text, 'latin1')
      return
    }
    socket.cork()
    if (before !== '') socket.write(before, 'latin1')
    socket.write(part)
    if (after !== '') socket.write(after, 'latin1')
    socket.uncork()
  }
}
