/**
 * A call on the calling side, from its CALL to its answer.
 *
 * @module
 */
import type { CancelListener } from '../../kernel/cancellation.ts'
import { FlotillaError } from '../../kernel/error.ts'
import { Timed } from '../../kernel/timer-wheel.ts'
import type { ItemQueue } from '../item-queue.ts'
import type { CallRequest, Settle } from '../wire.ts'

/** Ends a call from this side and tells the other. */
export interface Abandoner {
  abandon(pending: PendingCall, error: FlotillaError): void
}

/** A call whose answer has not come; waits in the wheel for its deadline. */
export class PendingCall extends Timed implements CancelListener {
  readonly id: number
  readonly request: CallRequest
  readonly settle: Settle
  /** Set for streams: where items go. */
  readonly items: ItemQueue | undefined
  /** Streams: items the other side may still send. */
  credit = 0
  readonly #owner: Abandoner

  constructor(
    owner: Abandoner,
    id: number,
    request: CallRequest,
    settle: Settle,
    items: ItemQueue | undefined,
  ) {
    super()
    this.#owner = owner
    this.id = id
    this.request = request
    this.settle = settle
    this.items = items
  }

  override expire(): void {
    this.#owner.abandon(this, new FlotillaError('deadline_exceeded', 'The answer did not come in time.'))
  }

  canceled(error: FlotillaError): void {
    this.#owner.abandon(this, error)
  }
}
