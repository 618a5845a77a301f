/**
 * What the auth service tells of an account: whose it is, its sessions and API keys.
 *
 * @module
 */
import { Id, type Static, Time, Type } from '@flotilla/core/schema'
import { personal } from '@flotilla/core/sensitive'

/** A user as the user sees it. */
export const Profile = Type.Object(
  {
    id: Id,
    email: Type.String(personal),
    name: Type.String(),
    roles: Type.Array(Type.String()),
    tier: Type.String(),
    createdAt: Time,
  },
  { title: 'Profile' },
)

/** What somebody gets who has logged in. */
export const Session = Type.Object(
  {
    user: Type.Object({
      id: Id,
      email: Type.String(personal),
      name: Type.String(),
      roles: Type.Array(Type.String()),
    }),
    accessToken: Type.String(),
    refreshToken: Type.String(),
    /** How to show the access token: `DPoP` with a proof, if the request had one. Then a refresh needs the same key. */
    tokenType: Type.Enum(['Bearer', 'DPoP']),
    /** Seconds until the access token runs out. */
    expiresIn: Type.Integer({ minimum: 1 }),
  },
  { title: 'Session' },
)

/** Tokens and whom they are for. */
export type Session = Static<typeof Session>

/** An API key as its user sees it. */
export const ApiKey = Type.Object(
  {
    id: Id,
    name: Type.String(),
    /** Begins every key, so that a leaked one can be told apart. */
    prefix: Type.String(),
    scopes: Type.Array(Type.String()),
    createdAt: Time,
    expiresAt: Time,
  },
  { title: 'ApiKey' },
)
