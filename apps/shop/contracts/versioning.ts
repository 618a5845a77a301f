/**
 * What contracts with optimistic locking have in common.
 *
 * @module
 */
import type { Reason } from '@flotilla/core/operation'
import { Type } from '@flotilla/core/schema'

/** Grows by one with every change; travels as ETag and If-Match. */
export const Version = Type.Integer({ minimum: 1 })

/** Refuses a write that was made for an older version. */
export const staleVersion = {
  stale_version: {
    code: 'failed_precondition',
    status: 412,
    title: 'It has changed since you read it; read it again',
  },
} as const satisfies Record<string, Reason>
