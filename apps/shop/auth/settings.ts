/**
 * What a deployment sets of the service, by environment variables `AUTH_…`.
 *
 * @module
 */
import { type Static, Type } from '@flotilla/core/schema'

/** The schema. */
export const AuthSettings = Type.Object({
  /** Needed to serve, but not by tasks: who brings the database up to date does not get to open keys. */
  sealingKey: Type.Optional(
    Type.String({
      minLength: 22,
      description: 'secret that signing keys in the database are encrypted with: 128 random bits or more',
    }),
  ),
  adminPassword: Type.Optional(
    Type.String({
      minLength: 15,
      maxLength: 256,
      description: 'password of admin@shop.test, made by the seed',
    }),
  ),
  demoPassword: Type.Optional(
    Type.String({
      minLength: 15,
      maxLength: 256,
      description: 'password of demo@shop.test, made by the seed',
    }),
  ),
})

/** The settings. */
export type AuthSettings = Static<typeof AuthSettings>
