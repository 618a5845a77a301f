/**
 * A payment attempt: one try to be paid for one order.
 *
 * Its states. Those in -ing mean: the shop has decided and written down what it wants (an *operation*), and does not know
 * yet what the provider made of it. They last a moment, or as long as the provider is silent.
 *
 * - **authorising**: where it begins; there is no state before it, as making an attempt and wanting it authorised are one commit.
 *   Ends as *authorised*, or *declined*, or, when somebody wanted it voided meanwhile, goes straight on to *voiding*.
 * - **authorised**: the provider holds the money. Goes on to *capturing* or *voiding*.
 * - **declined**: the card was refused. The end.
 * - **capturing**: ends as *captured*; back to *authorised* when the provider refuses.
 * - **captured**: the money is ours, all that was held or less: there is one capture. Goes on to *refunding*.
 * - **refunding**: at least one refund is on its way; several may be. Ends as *partially_refunded*, as *refunded* when nothing of the
 *   captured is left, or, all having been refused, as *captured*.
 * - **partially_refunded**: goes on to *refunding*. **refunded**: the end.
 * - **voiding**: ends as *voided*; back to *authorised* when the provider refuses.
 * - **voided**: nothing is held. The end. An attempt that was voided before it was made is born so, and stays: a tombstone that
 *   refuses an authorisation that comes late.
 *
 * *Unknown* is no state but a property of an operation that was sent and not answered, or not by a definite answer. It is
 * never taken for a no, and nothing is undone on a guess: the provider is asked until it says.
 *
 * The table below is also in the database (`legal_transition`), where a trigger keeps everybody to it.
 *
 * @module
 */

/** Where an attempt can be. */
export type AttemptState =
  | 'authorising'
  | 'authorised'
  | 'declined'
  | 'capturing'
  | 'captured'
  | 'refunding'
  | 'partially_refunded'
  | 'refunded'
  | 'voiding'
  | 'voided'

/** Where it can go from there. */
export const transitions: Readonly<Record<AttemptState, readonly AttemptState[]>> = {
  authorising: ['authorised', 'declined', 'voiding'],
  authorised: ['capturing', 'voiding'],
  declined: [],
  capturing: ['captured', 'authorised'],
  captured: ['refunding'],
  refunding: ['partially_refunded', 'refunded', 'captured'],
  partially_refunded: ['refunding'],
  refunded: [],
  voiding: ['voided', 'authorised'],
  voided: [],
}

/** An attempt. Amounts are minor units of `currency`. */
export interface Attempt {
  readonly id: string
  readonly state: AttemptState
  /** These five are null for an attempt that was voided before it was made. */
  readonly orderId: string | null
  readonly userId: string | null
  readonly paymentToken: string | null
  readonly amount: number | null
  readonly currency: string | null
  readonly isVoidWanted: boolean
  /** The provider's name for it. */
  readonly chargeId: string | null
  readonly declineCode: string | null
  readonly brand: string | null
  readonly last4: string | null
  readonly expiry: string | null
  readonly authorised: number
  /** On its way, not yet part of `captured`. */
  readonly capturing: number
  readonly captured: number
  /** On its way, not yet part of `refunded`. */
  readonly refunding: number
  readonly refunded: number
  readonly version: number
}

/** Something asked of the provider. */
export interface Operation {
  /** The name the provider knows it by: its idempotency key. */
  readonly id: string
  readonly attemptId: string
  readonly kind: 'authorise' | 'capture' | 'void' | 'refund'
  readonly refundId: string | null
  readonly amount: number
  readonly state: 'pending' | 'done' | 'refused'
  readonly refusal: string | null
}

/** What the provider said for certain about an operation. */
export type Outcome =
  | { readonly isDone: true; readonly chargeId: string; readonly card: CardShown }
  | { readonly isDone: false; readonly refusal: string }

/** What may be shown of a card. */
export interface CardShown {
  readonly brand: string
  readonly last4: string
  /** `YYYY-MM`. */
  readonly expiry: string
}

/** What an operation's outcome changes about its attempt. */
export function settled(attempt: Attempt, { kind, amount }: Operation, outcome: Outcome): Partial<Attempt> {
  switch (kind) {
    case 'authorise':
      if (!outcome.isDone) return { state: 'declined', declineCode: outcome.refusal }
      return {
        state: attempt.isVoidWanted ? 'voiding' : 'authorised',
        authorised: amount,
        chargeId: outcome.chargeId,
        ...outcome.card,
      }
    case 'capture':
      return outcome.isDone
        ? { state: 'captured', capturing: 0, captured: attempt.captured + amount }
        : { state: 'authorised', capturing: 0 }
    case 'void':
      return { state: outcome.isDone ? 'voided' : 'authorised' }
    case 'refund': {
      const refunding = attempt.refunding - amount
      const refunded = attempt.refunded + (outcome.isDone ? amount : 0)
      return { state: stateOfRefunds(attempt.captured, refunding, refunded), refunding, refunded }
    }
  }
}

function stateOfRefunds(captured: number, refunding: number, refunded: number): AttemptState {
  if (refunding > 0) return 'refunding'
  if (refunded === 0) return 'captured'
  return refunded < captured ? 'partially_refunded' : 'refunded'
}

/** The name an operation has at the provider. */
export function operationId(attemptId: string, kind: Operation['kind'], refundId?: string): string {
  if (kind === 'authorise') return attemptId
  return kind === 'refund' ? `${attemptId}.refund.${refundId}` : `${attemptId}.${kind}`
}
