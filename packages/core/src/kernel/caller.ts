/**
 * Who is asking: a person (or nobody), and the service that passes the question on.
 *
 * @module
 */

/** A person or program that has proven who it is to the gateway. */
export interface User {
  readonly id: string
  readonly roles: readonly string[]
  /** What the credential at hand may be used for; an empty list is "everything the roles allow". */
  readonly scopes: readonly string[]
  /** Rate-limit tier: `free`, `premium` or `enterprise`. */
  readonly tier: string
}

/** Both identities of a call. Each is proven by the wire, never taken from the call's own words. */
export interface Caller {
  /** Absent: anonymous, or a service acting for itself. */
  readonly user?: User | undefined
  /** The calling service. Absent: the call comes from outside. */
  readonly service?: string | undefined
  /** `user` in signed form, to be passed on to other processes; absent with it. */
  readonly token?: string | undefined
}

/** Nobody we know, from outside. */
export const anonymous: Caller = Object.freeze({})
