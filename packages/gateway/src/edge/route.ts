/**
 * What the edge knows of a route, and the limits that requests are counted by.
 *
 * @module
 */
import type { Operation } from '@flotilla/core/operation'
import type { PassOn } from '@flotilla/core/service'
import type { KeptRoute } from '../cache/kept-route.ts'
import type { OnCommand } from '../cache/response-cache.ts'
import type { RateLimit } from '../limit/rate-limit.ts'
import type { RouteBrowsing } from './browsing.ts'
import type { DeprecationFields } from './deprecation.ts'

/** A route of the edge. */
export interface Route {
  readonly operation: Operation
  /** Of its spans: method and template, such as `GET /api/v1/products/{id}`. */
  readonly spanName: string
  readonly passOn: PassOn
  /** What is counted beside the address on a strict route; absent on others. */
  readonly strictKeyOf: ((input: unknown) => string) | undefined
  readonly cacheControl: string
  /** The same for answers to somebody who is known. */
  readonly cacheControlOfUsers: string
  /** Absent: it is not for browsers that are led elsewhere. */
  readonly browsing: RouteBrowsing | undefined
  /** Absent: the gateway keeps no answers of it. */
  readonly kept: KeptRoute | undefined
  /** Absent: it changes nothing that the gateway keeps. */
  readonly onCommand: OnCommand | undefined
  /** Absent: the operation stays. */
  readonly deprecationFields: DeprecationFields | undefined
}

/** The limits of the edge. */
export interface EdgeLimits {
  readonly address: RateLimit
  readonly anonymous: RateLimit
  /** By tier; a tier that is not there has no limit. */
  readonly tiers: ReadonlyMap<string, RateLimit>
  readonly strict: RateLimit
}
