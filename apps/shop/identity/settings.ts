/**
 * What a deployment sets of the demo identity provider, by environment variables `IDENTITY_…`.
 *
 * @module
 */
import { type Static, Type } from '@flotilla/core/schema'

/** The schema. */
export const IdentitySettings = Type.Object({
  isOpen: Type.Boolean({
    default: true,
    description: 'whether anybody can log in there; false where people are real: it does not even listen',
  }),
  host: Type.String({ default: '127.0.0.1', description: 'address to listen on' }),
  port: Type.Integer({
    minimum: 0,
    maximum: 65_535,
    default: 8060,
    description: 'port to listen on, by which it is also known: never 0',
  }),
  /** Needed to serve, but not by tasks. */
  clientSecret: Type.Optional(
    Type.String({ minLength: 16, description: 'secret that the shop shows the demo identity provider' }),
  ),
  redirectUri: Type.String({ default: '', description: 'where it sends people back to' }),
  moreRedirectUris: Type.Array(Type.String(), {
    default: [],
    description: 'further addresses it sends people back to, such as that behind TLS',
  }),
})

/** The settings. */
export type IdentitySettings = Static<typeof IdentitySettings>
