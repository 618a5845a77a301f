/**
 * Who may issue access tokens, and whom those tokens speak of.
 *
 * The app's own issuer speaks of users by their ids, with our roles and tiers. A foreign one has names of its own: its user `17` is
 * `<name>|17` here, and can never be one of ours, whose ids have no `|`; its roles mean what a table says, and by default nothing.
 *
 * @module
 */
import type { User } from '@flotilla/core/caller'
import { FlotillaError } from '@flotilla/core/error'
import type { JSONWebKeySet } from 'jose'
import type { Claims } from './token-claims.ts'
import { refused } from './token-refusal.ts'
import { ALGORITHMS, type Algorithm } from './verification-key.ts'

/** How the claims of a foreign issuer become a user. */
export interface ForeignUsers {
  /** Stands before the ids of its users: a small letter, then up to 31 small letters, digits and `-`. */
  readonly name: string
  /** The claim that lists roles. Default `roles`. */
  readonly rolesClaim?: string
  /** Our roles for each of theirs; one that is not here means nothing. Default: none. */
  readonly roles?: Readonly<Record<string, readonly string[]>>
  /** Rate-limit tier of all its users. Default `free`. */
  readonly tier?: string
}

/** An issuer of access tokens. */
export interface Issuer {
  /** `iss` of its tokens, to the letter. */
  readonly issuer: string
  /** Must be among the audiences of a token. */
  readonly audience: string
  /** All it may sign with. */
  readonly algorithms: readonly Algorithm[]
  /** Its public keys, or what fetches them. */
  readonly keys: JSONWebKeySet | (() => Promise<JSONWebKeySet>)
  /** Absent: it is the app's own. */
  readonly claims?: ForeignUsers | undefined
}

const ISSUER_NAME = /^[a-z][a-z0-9-]{0,31}$/
const SEPARATOR = '|'
const SESSION_ID = /^[\w-]{1,64}$/

/** @throws FlotillaError `failed_precondition` that says which issuer cannot be: a name or an `iss` that is used twice, a bad name, an algorithm that is none of ours. */
export function checkIssuers(issuers: readonly Issuer[]): void {
  const names = new Set<string>()
  const urls = new Set<string>()
  for (const { issuer, audience, algorithms, claims } of issuers) {
    const fault = (why: string): FlotillaError =>
      new FlotillaError('failed_precondition', `The issuer '${issuer}' ${why}.`, { executed: 'no' })
    if (issuer === '' || audience === '') throw fault('needs an iss and an audience')
    if (algorithms.length === 0 || !algorithms.every((one) => ALGORITHMS.includes(one)))
      throw fault(`needs algorithms out of ${ALGORITHMS.join(', ')}`)
    // Two that are the app's own could give the same id to two people.
    const name = claims?.name ?? ''
    if (claims !== undefined && !ISSUER_NAME.test(name)) throw fault(`cannot be named '${name}'`)
    if (urls.has(issuer) || names.has(name)) throw fault('is there twice, or shares its name')
    urls.add(issuer)
    names.add(name)
  }
}

/**
 * Whom checked claims speak of.
 *
 * @throws FlotillaError `unauthenticated` when they lack what this issuer has to say.
 */
export function userOf(issuer: Issuer, { subject, scopes, all }: Claims): User {
  if (issuer.claims === undefined) {
    const { roles, tier } = all
    if (subject.includes(SEPARATOR)) throw refused('subject')
    if (!isTexts(roles) || typeof tier !== 'string') throw refused('roles and tier')
    return { id: subject, roles, scopes, tier }
  }
  const { name, rolesClaim = 'roles', roles: ours = {}, tier = 'free' } = issuer.claims
  const theirs = Object.hasOwn(all, rolesClaim) ? all[rolesClaim] : []
  if (!isTexts(theirs)) throw refused('roles and tier')
  const roles = theirs.flatMap((role) => (Object.hasOwn(ours, role) ? (ours[role] ?? []) : []))
  return { id: `${name}${SEPARATOR}${subject}`, roles: [...new Set(roles)], scopes, tier }
}

/**
 * The session of the app's own that checked claims belong to. Sessions of others are theirs to end.
 *
 * @throws FlotillaError `unauthenticated` when it names none that can be.
 */
export function sessionOf({ claims }: Issuer, { all }: Claims): string | undefined {
  if (claims !== undefined || !Object.hasOwn(all, 'sid')) return undefined
  const { sid } = all
  if (typeof sid !== 'string' || !SESSION_ID.test(sid)) throw refused('session')
  return sid
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}
