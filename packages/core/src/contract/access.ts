/**
 * Who may call an operation. Every operation has a rule: there is no default, so nothing is open by oversight.
 *
 * A rule speaks of the caller alone. Whose *object* it is (my cart, your order) is decided by the owning service
 * in its query, with the user from `ctx.user`.
 *
 * @module
 */
import type { Caller } from '../kernel/caller.ts'

/** A rule, as plain data: it is checked at the gateway and again in the service, and shown in OpenAPI. */
export type Access =
  | { readonly kind: 'anyone' }
  | { readonly kind: 'user' }
  | { readonly kind: 'role'; readonly roles: readonly string[] }
  | { readonly kind: 'service'; readonly services: readonly string[] | 'any' }

/** Everybody, also without an account. */
export const anyone: Access = { kind: 'anyone' }

/** Everybody who has logged in. */
export const user: Access = { kind: 'user' }

/** Users with at least one of the roles. */
export function role(...roles: readonly string[]): Access {
  return { kind: 'role', roles }
}

/** Only the named services, acting for themselves or for a user; never reachable through the gateway. */
export function service(...services: readonly string[]): Access {
  return { kind: 'service', services }
}

/** Every service of this system, and nobody outside. */
export const anyService: Access = { kind: 'service', services: 'any' }

/** The answer to "may this caller?": undefined is yes. */
export type Refusal = 'unauthenticated' | 'permission_denied'

/**
 * Decides. A user whose credential is limited to scopes (an API key) also needs `scope`, which is
 * `<service>:read` for queries and `<service>:write` for commands.
 */
export function refusal(access: Access, caller: Caller, scope: string): Refusal | undefined {
  switch (access.kind) {
    case 'anyone':
      return undefined
    case 'service':
      if (caller.service === undefined) return 'permission_denied'
      return access.services === 'any' || access.services.includes(caller.service)
        ? undefined
        : 'permission_denied'
    case 'user':
    case 'role': {
      const { user } = caller
      if (user === undefined) return 'unauthenticated'
      if (user.scopes.length > 0 && !user.scopes.includes(scope)) return 'permission_denied'
      if (access.kind === 'user' || access.roles.some((name) => user.roles.includes(name))) return undefined
      return 'permission_denied'
    }
  }
}

/** The rule in words, for OpenAPI and the command line. */
export function describeAccess(access: Access): string {
  switch (access.kind) {
    case 'anyone':
      return 'anyone'
    case 'user':
      return 'any user'
    case 'role':
      return `users with role ${access.roles.join(' or ')}`
    case 'service':
      return access.services === 'any' ? 'any service' : `service ${access.services.join(' or ')}`
  }
}
