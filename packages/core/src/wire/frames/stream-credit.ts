/**
 * What keeps a stream from running ahead of its reader: an item is sent for each credit the caller gave.
 *
 * @module
 */
import { type CancelListener, Cancellation } from '../../kernel/cancellation.ts'
import { kinds } from './format.ts'
import { type FrameWriter, writeUint32 } from './frame-writer.ts'

/** Gives the other side credit for `items` more. */
export function sendCredit(writer: FrameWriter, call: number, items: number): void {
  const start = writer.beginFor(kinds.credit, call)
  writer.reserve(4)
  writeUint32(writer.buffer, writer.position, items)
  writer.position += 4
  writer.end(start, Number.POSITIVE_INFINITY)
}

/** A stream being answered. */
export class StreamCredit implements CancelListener {
  readonly cancellation = new Cancellation()
  #items: number
  #wake: (() => void) | undefined

  /** `items`: how many may be sent at once. */
  constructor(items: number) {
    this.#items = items
    this.cancellation.listen(this)
  }

  /** Takes the credit of one item; false when there is none. */
  tryTake(): boolean {
    if (this.#items === 0) return false
    this.#items--
    return true
  }

  /** The caller takes `items` more. */
  give(items: number): void {
    this.#items += items
    this.wake()
  }

  /** Resolves at the next `give` or `wake`, or when the stream is stopped. */
  async wait(): Promise<void> {
    if (this.cancellation.error !== undefined) return
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
  }

  /** Lets who waits look again. */
  wake(): void {
    this.#wake?.()
    this.#wake = undefined
  }

  canceled(): void {
    this.wake()
  }
}
