/**
 * What a deployment sets of the service, by environment variables `PAYMENTS_…`.
 *
 * @module
 */
import { type Static, Type } from '@flotilla/core/schema'

/** The schema. */
export const PaymentsSettings = Type.Object({
  providerUrl: Type.String({
    pattern: '^https?://',
    default: 'http://127.0.0.1:8070',
    description: 'origin of the payment provider',
  }),
  /** Needed to serve, but not by tasks. */
  providerKey: Type.Optional(
    Type.String({ minLength: 16, description: 'secret key that the provider knows the shop by' }),
  ),
  /** Needed to serve, but not by tasks. */
  webhookSecret: Type.Optional(
    Type.String({ minLength: 16, description: 'secret that the provider signs webhooks with' }),
  ),
  providerTimeoutMs: Type.Integer({
    minimum: 50,
    maximum: 30_000,
    default: 5_000,
    description: 'milliseconds to wait for an answer of the provider before its outcome counts as unknown',
  }),
  resolveMs: Type.Integer({
    minimum: 20,
    maximum: 60_000,
    default: 500,
    description: 'milliseconds between two looks for payments whose outcome is not known',
  }),
  reconcileMs: Type.Integer({
    minimum: 100,
    maximum: 86_400_000,
    default: 60_000,
    description: 'milliseconds between two comparisons with the books of the provider',
  }),
  graceMs: Type.Integer({
    minimum: 0,
    maximum: 86_400_000,
    default: 60_000,
    description: 'milliseconds that the provider may know of a payment before us without being a difference',
  }),
})

/** The settings. */
export type PaymentsSettings = Static<typeof PaymentsSettings>
