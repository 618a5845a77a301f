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
  publicUrl: Type.String({
    default: '',
    description:
      'address of the site as browsers know it, such as https://shop.example; empty: the gateway on this machine',
  }),
  gatewayUrl: Type.String({ default: '', description: 'address of the gateway on this machine' }),
  oidcProviders: Type.String({
    default: '[]',
    description:
      'identity providers, as JSON: a list of name, issuer, clientId, clientSecret and algorithm (of its identity tokens)',
  }),
  demoLogin: Type.Boolean({
    default: true,
    description: 'whether the demo identity provider is taken at its word; false where people are real',
  }),
  demoProviderUrl: Type.String({
    default: '',
    description: 'issuer of the demo identity provider; empty: none',
  }),
  demoProviderSecret: Type.Optional(
    Type.String({ minLength: 16, description: 'secret that the demo identity provider knows us by' }),
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
