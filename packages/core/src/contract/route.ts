/**
 * Routes: how an operation is declared to look in HTTP.
 *
 * @module
 */
import { FlotillaError } from '../kernel/error.ts'

/** HTTP methods an operation may use. */
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** What a contract writes: `'GET /products/{id}'`, or that with options. */
export type RestSpec = string | RestOptions

/** Answers with this value in this output field. */
export interface AcceptedWhile {
  readonly field: string
  readonly value: string
}

/**
 * What a browser keeps and where it goes on to, for what leads it to another site and back. Only the gateway has browsers before
 * it: between services the fields travel like all others.
 */
export interface Browsing {
  /**
   * The field, an optional text of the input and a text of the output, that the browser keeps in a cookie which no script can
   * read. An empty text: it is to forget it. Never part of a body.
   */
  readonly cookie: string
  /** Seconds for which it is kept. */
  readonly maxAgeS: number
  /**
   * The output field with the address that the browser goes on to: the answer is a 303. Absent: an answer like all others; an output
   * without the field, where it is optional, is one, too, with status 200.
   */
  readonly location?: string
}

/** A route and what is special about it. */
export interface RestOptions {
  readonly route: string
  /** Status of success. Default 200, or 303 where the browser goes on. A 204 has no body. */
  readonly status?: number
  /** The input field (a whole number) that comes from `If-Match: "<number>"`. */
  readonly ifMatch?: string
  /**
   * The input field (an optional whole number of seconds) that comes from `Prefer: wait=<seconds>`: how long the client
   * will wait for a command to end. More than the field's maximum is taken for the maximum.
   */
  readonly prefer?: string
  /** Answers that go out with status 202 instead of `status`: what was asked for is accepted and has not ended yet. */
  readonly acceptedWhile?: AcceptedWhile
  /** The output field (a whole number) that is answered as `ETag: "<number>-<check of the body>"`. */
  readonly etag?: string
  /** For browsers that are led to another site and back. With it a command may be a GET: a link leads to it. */
  readonly browsing?: Browsing
  /**
   * The input field (an optional text) that is the thumbprint (RFC 7638) of a key, when the client proves to hold it by the header `DPoP`
   * (RFC 9449). Only the gateway checks proofs: between services the field travels like all others, and never in a body from outside.
   */
  readonly provenKey?: string
  /** True for a path at the root of the host instead of below `/api/v<version>`. */
  readonly isAtRoot?: boolean
  /**
   * API version in its path, a whole number from 1. Default: its contract's. Two operations of one contract may stand beside each other
   * on one route in two versions.
   */
  readonly version?: number
}

/** The mapping, worked out. */
export interface Rest {
  readonly method: Method
  readonly path: string
  /** Names in braces in the path, in order. */
  readonly parameters: readonly string[]
  readonly status: number
  readonly hasBody: boolean
  readonly isAtRoot: boolean
  readonly ifMatch: string | undefined
  readonly prefer: string | undefined
  readonly acceptedWhile: AcceptedWhile | undefined
  readonly etag: string | undefined
  readonly browsing: Browsing | undefined
  readonly provenKey: string | undefined
}

const ROUTE = /^(GET|POST|PUT|PATCH|DELETE) (\/(?:[A-Za-z0-9._~/-]|\{[A-Za-z][A-Za-z0-9]*\})*)$/

const SEE_OTHER = 303

/** True when `parseRest` can read it. */
export function isRoute(spec: RestSpec): boolean {
  return ROUTE.test(typeof spec === 'string' ? spec : spec.route)
}

/** The API version that an operation says of itself; absent: it has its contract's. */
export function ownVersion(spec: RestSpec | undefined): number | undefined {
  return typeof spec === 'object' ? spec.version : undefined
}

/** What stands before a path: `/api/v1`, or nothing for one at the root. */
export function pathPrefix(version: number, isAtRoot = false): string {
  return isAtRoot ? '' : `/api/v${version}`
}

/** @throws FlotillaError `invalid_argument` when the route cannot be read. */
export function parseRest(spec: RestSpec, isCommand: boolean): Rest {
  const options: RestOptions = typeof spec === 'string' ? { route: spec } : spec
  const match = ROUTE.exec(options.route)
  if (!match) {
    throw new FlotillaError('invalid_argument', `${options.route} is not a route such as 'GET /things/{id}'.`)
  }
  const [, method, path = ''] = match
  return {
    method: method as Method,
    path,
    parameters: [...path.matchAll(/\{([^}]+)\}/g)].map(([, name = '']) => name),
    status: options.status ?? (options.browsing?.location === undefined ? 200 : SEE_OTHER),
    hasBody: isCommand && method !== 'DELETE' && method !== 'GET',
    isAtRoot: options.isAtRoot ?? false,
    ifMatch: options.ifMatch,
    prefer: options.prefer,
    acceptedWhile: options.acceptedWhile,
    etag: options.etag,
    browsing: options.browsing,
    provenKey: options.provenKey,
  }
}
