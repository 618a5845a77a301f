/**
 * What the edge needs to know of its app.
 *
 * @module
 */
import type { User } from '@flotilla/core/caller'
import type { Operation } from '@flotilla/core/operation'
import type { Invalidation } from '../cache/invalidation.ts'
import type { ClientCertificate } from '../http/certificate.ts'

/** A route with a strict limit: it could be used to guess something. */
export interface StrictRoute {
  readonly operation: Operation
  /** What is guessed at, such as the account; counted beside the client's address. */
  readonly keyOf: (input: unknown) => string
}

/** What an app says about its edge. */
export interface EdgeSpec {
  readonly title: string
  readonly description: string
  /** Issuer and audience of access tokens. */
  readonly issuer: string
  readonly audience: string
  readonly strictRoutes: readonly StrictRoute[]
  /**
   * Whom a client's verified certificate stands for, when it shows neither an access token nor an API key; undefined: nobody in
   * particular. Asked for every request. Default: nobody.
   */
  readonly certificateUsers?: (certificate: ClientCertificate) => User | undefined
  /** Which events change answers that the gateway keeps. Default none: what has tags is kept until its time is over. */
  readonly invalidations?: readonly Invalidation[]
}
