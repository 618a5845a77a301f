/**
 * Accounts, sessions, API keys; the issuer of the tokens that the gateway accepts.
 *
 * @module
 */
import { anyone, role, service, user } from '@flotilla/core/access'
import { defineContract } from '@flotilla/core/contract'
import { command, query } from '@flotilla/core/operation'
import { Id, Nothing, Type } from '@flotilla/core/schema'
import { personal, secret } from '@flotilla/core/sensitive'
import { ApiKey, Profile, Session } from './account.ts'

const Email = Type.String({ ...personal, format: 'email', maxLength: 254 })
/** At least 15 characters when it is the only factor; any characters. Long ones are hashed whole. */
const Password = Type.String({ ...secret, minLength: 15, maxLength: 256 })

const weakPassword = {
  code: 'invalid_argument',
  title: 'This password is among the first that are guessed',
} as const
const lockedOut = {
  code: 'resource_exhausted',
  title: 'Too many failed attempts with this account; wait a while',
} as const
const blocked = { code: 'permission_denied', title: 'This account is blocked' } as const
const noProvider = { code: 'not_found', title: 'There is no such identity provider' } as const
/** What a browser keeps while it is at an identity provider: as long as it may be away. */
const away = { cookie: 'login', maxAgeS: 600 } as const
/** Thumbprint of the key that tokens are bound to. Absent: to none. */
const ProvenKey = Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }))
const ProviderName = Type.String({ pattern: '^[a-z][a-z0-9-]{0,31}$' })
/** Of a return: everything comes from somebody else. */
const Said = Type.Optional(Type.String({ maxLength: 2_000 }))
const anotherKey = {
  code: 'unauthenticated',
  title: 'This session is bound to a key; prove that you hold it',
} as const
const noUser = { code: 'not_found', title: 'There is no such account' } as const

/** The auth contract. */
export const auth = defineContract({
  name: 'auth',
  version: 1,
  summary: 'Accounts, sessions and API keys.',
  operations: {
    register: command({
      summary: 'Opens an account and logs in.',
      access: anyone,
      http: { route: 'POST /auth/register', status: 201, provenKey: 'provenKey' },
      idempotency: 'none',
      input: Type.Object({
        provenKey: ProvenKey,
        email: Email,
        password: Password,
        name: Type.String({ minLength: 1, maxLength: 100 }),
      }),
      output: Session,
      reasons: {
        email_taken: { code: 'already_exists', title: 'There is an account with this e-mail address' },
        weak_password: weakPassword,
      },
    }),
    login: command({
      summary: 'Logs in.',
      access: anyone,
      http: { route: 'POST /auth/login', provenKey: 'provenKey' },
      idempotency: 'none',
      input: Type.Object({
        provenKey: ProvenKey,
        email: Email,
        password: Type.String({ minLength: 1, maxLength: 256 }),
      }),
      output: Session,
      reasons: {
        bad_credentials: { code: 'unauthenticated', title: 'E-mail address or password is wrong' },
        locked_out: lockedOut,
        blocked,
      },
    }),
    startOidc: query({
      summary: 'Sends the browser to an identity provider, to log in there.',
      access: anyone,
      http: { route: 'GET /auth/oidc/{provider}/start', browsing: { ...away, location: 'url' } },
      timeoutMs: 10_000,
      input: Type.Object({
        provider: ProviderName,
        /** Where the browser goes afterwards: a path of this site. Absent: nowhere, the session is the answer. */
        returnTo: Type.Optional(Type.String({ maxLength: 1_000 })),
      }),
      output: Type.Object({ url: Type.String(), login: Type.String() }),
      reasons: {
        no_provider: noProvider,
        bad_return: { code: 'invalid_argument', title: 'Only a path of this site can be returned to' },
      },
    }),
    finishOidc: command({
      summary:
        'Logs in who comes back from an identity provider, in the browser that was sent there, once. A browser that goes on to a page finds its session there: POST /auth/oidc/session.',
      access: anyone,
      http: {
        route: 'GET /auth/oidc/{provider}/callback',
        browsing: { ...away, location: 'returnTo' },
      },
      idempotency: 'none',
      timeoutMs: 15_000,
      // The fields that providers are known to send (OAuth 2.0, OpenID Connect, RFC 9207).
      input: Type.Object({
        provider: ProviderName,
        login: Type.Optional(Type.String({ maxLength: 4_000 })),
        state: Type.String({ maxLength: 200 }),
        code: Said,
        iss: Said,
        error: Said,
        error_description: Said,
        error_uri: Said,
        session_state: Said,
        scope: Said,
        authuser: Said,
        prompt: Said,
        hd: Said,
      }),
      output: Type.Object({
        ...Session.properties,
        /** Where the browser goes, which then keeps what \`takeOidcSession\` wants; absent: nowhere. */
        returnTo: Type.Optional(Type.String()),
        login: Type.String(),
      }),
      reasons: {
        no_provider: noProvider,
        not_begun_here: {
          code: 'failed_precondition',
          title: 'This login was not begun in this browser, took too long, or is over; begin again',
        },
        refused: { code: 'permission_denied', title: 'The identity provider did not let you in' },
        bad_answer: { code: 'unauthenticated', title: 'What the identity provider says cannot be believed' },
        no_email: {
          code: 'failed_precondition',
          title: 'The identity provider gives no e-mail address that it has verified',
        },
        email_taken: {
          code: 'already_exists',
          title: 'There is an account with this e-mail address; log in there',
        },
        blocked,
      },
    }),
    takeOidcSession: command({
      summary:
        'Gives the session of a login at an identity provider to the page that the browser went on to, once.',
      access: anyone,
      http: { route: 'POST /auth/oidc/session', browsing: away, provenKey: 'provenKey' },
      idempotency: 'none',
      input: Type.Object({ provenKey: ProvenKey, login: Type.Optional(Type.String({ maxLength: 4_000 })) }),
      output: Type.Object({ ...Session.properties, login: Type.String() }),
      reasons: {
        no_login: {
          code: 'failed_precondition',
          title: 'No login of this browser waits, or it has waited for too long; begin again',
        },
      },
    }),
    refresh: command({
      summary: 'Exchanges a refresh token for new tokens; each can be used once.',
      access: anyone,
      http: { route: 'POST /auth/refresh', provenKey: 'provenKey' },
      idempotency: 'none',
      input: Type.Object({
        provenKey: ProvenKey,
        refreshToken: Type.String({ minLength: 1, maxLength: 200 }),
      }),
      output: Session,
      reasons: {
        bad_token: {
          code: 'unauthenticated',
          title: 'This refresh token is unknown, used or expired; log in again',
        },
        another_key: anotherKey,
      },
    }),
    logout: command({
      summary:
        'Ends the session that a refresh token belongs to, and its access tokens within seconds; quiet when it is over already.',
      access: anyone,
      http: { route: 'POST /auth/logout', status: 204 },
      idempotency: 'natural',
      input: Type.Object({ refreshToken: Type.String({ minLength: 1, maxLength: 200 }) }),
      output: Nothing,
    }),
    logoutEverywhere: command({
      summary: 'Ends all your sessions, and their access tokens within seconds.',
      access: user,
      http: { route: 'POST /auth/logout-everywhere', status: 204 },
      idempotency: 'natural',
      output: Nothing,
    }),
    changePassword: command({
      summary: 'Changes your password, ends all your sessions and begins a new one.',
      access: user,
      http: { route: 'POST /auth/password', provenKey: 'provenKey' },
      idempotency: 'none',
      input: Type.Object({
        provenKey: ProvenKey,
        currentPassword: Type.String({ ...secret, minLength: 1, maxLength: 256 }),
        newPassword: Password,
      }),
      output: Session,
      reasons: {
        bad_credentials: { code: 'permission_denied', title: 'The current password is another one' },
        locked_out: lockedOut,
        weak_password: weakPassword,
        gone: { code: 'not_found', title: 'This account does not exist any more' },
      },
    }),
    blockUser: command({
      summary:
        'Keeps somebody out: their sessions end, they cannot log in, their API keys are worth nothing.',
      access: role('admin'),
      http: { route: 'PUT /auth/users/{id}/block', status: 204 },
      idempotency: 'natural',
      input: Type.Object({ id: Id }),
      output: Nothing,
      reasons: {
        no_user: noUser,
        yourself: { code: 'failed_precondition', status: 409, title: 'Somebody else has to block you' },
      },
    }),
    unblockUser: command({
      summary: 'Lets somebody in again who was blocked.',
      access: role('admin'),
      http: { route: 'DELETE /auth/users/{id}/block', status: 204 },
      idempotency: 'natural',
      input: Type.Object({ id: Id }),
      output: Nothing,
      reasons: { no_user: noUser },
    }),
    endedSessions: query({
      summary:
        'Sessions that have ended while access tokens of theirs may still live, and API keys that have, in their order.',
      access: service('gateway'),
      criticality: 'critical_plus',
      input: Type.Object({
        /** Those that ended after this position; 0: all. */
        after: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
        limit: Type.Integer({ minimum: 1, maximum: 1_000 }),
      }),
      output: Type.Object({
        /** As the claim `sid` of their tokens; an API key by its SHA-256 in base64url. */
        sessionIds: Type.Array(Type.String()),
        /** Where to go on. */
        position: Type.Integer({ minimum: 0 }),
      }),
    }),
    me: query({
      summary: 'Your profile.',
      access: user,
      http: 'GET /auth/me',
      output: Profile,
      reasons: { gone: { code: 'not_found', title: 'This account does not exist any more' } },
    }),
    contact: query({
      summary: 'Where a user is written to.',
      access: service('orders'),
      output: Type.Object({ email: Type.String(personal) }),
      reasons: { gone: { code: 'not_found', title: 'This account does not exist any more' } },
    }),
    createApiKey: command({
      summary: 'Makes an API key; the key itself is shown this once.',
      access: user,
      http: { route: 'POST /auth/api-keys', status: 201 },
      idempotency: 'none',
      input: Type.Object({
        name: Type.String({ minLength: 1, maxLength: 100 }),
        /** `<service>:read` or `<service>:write`; at least one. */
        scopes: Type.Array(Type.String({ pattern: '^[a-z][a-z0-9-]*:(read|write)$' }), {
          minItems: 1,
          maxItems: 20,
        }),
        expiresInDays: Type.Optional(Type.Integer({ minimum: 1, maximum: 365 })),
      }),
      output: Type.Object({ apiKey: ApiKey, key: Type.String() }),
      reasons: {
        too_many_keys: {
          code: 'failed_precondition',
          status: 409,
          title: 'Delete a key first: twenty are the most',
        },
      },
    }),
    listApiKeys: query({
      summary: 'Your API keys, without the keys themselves.',
      access: user,
      http: 'GET /auth/api-keys',
      output: Type.Object({ items: Type.Array(ApiKey) }),
    }),
    deleteApiKey: command({
      summary: 'Revokes an API key; it stops working within seconds.',
      access: user,
      http: { route: 'DELETE /auth/api-keys/{id}', status: 204 },
      idempotency: 'natural',
      input: Type.Object({ id: Id }),
      output: Nothing,
    }),
    verifyApiKey: query({
      summary: 'Whom an API key belongs to; null when it is worth nothing.',
      access: service('gateway'),
      input: Type.Object({ key: Type.String({ maxLength: 200 }) }),
      output: Type.Object({
        user: Type.Union([
          Type.Object({
            id: Id,
            roles: Type.Array(Type.String()),
            scopes: Type.Array(Type.String()),
            tier: Type.String(),
          }),
          Type.Null(),
        ]),
      }),
    }),
    jwks: query({
      summary: 'The public keys that access tokens are signed with (RFC 7517).',
      access: anyone,
      http: { route: 'GET /.well-known/jwks.json', isAtRoot: true },
      output: Type.Object({ keys: Type.Array(Type.Record(Type.String(), Type.String())) }),
      cache: { maxAgeS: 300, scope: 'public' },
    }),
  },
})
