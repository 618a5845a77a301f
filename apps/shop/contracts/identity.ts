/**
 * The demo identity provider, as the platform sees it: something to place and to start. It promises no operations: it stands for an
 * outside company that logs people in, and speaks OpenID Connect on a port of its own (see `identity/issuer.ts`).
 *
 * @module
 */
import { defineContract } from '@flotilla/core/contract'

/** The contract. */
export const identity = defineContract({
  name: 'identity',
  version: 1,
  summary: 'An identity provider, simulated: an outside company where a few demo people can log in.',
  operations: {},
})
