/**
 * The simulated payment provider, as the platform sees it: something to place and to start. It promises no operations: it
 * stands for an outside company, whose API is plain HTTP on a port of its own (see `provider/api.ts`).
 *
 * @module
 */
import { defineContract } from '@flotilla/core/contract'

/** The provider contract. */
export const provider = defineContract({
  name: 'provider',
  version: 1,
  summary: 'A payment provider, simulated: an outside company.',
  operations: {},
})
