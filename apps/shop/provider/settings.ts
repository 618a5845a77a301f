/**
 * What a deployment sets of the provider, by environment variables `PROVIDER_…`.
 *
 * @module
 */
import { type Static, Type } from '@flotilla/core/schema'

/** The schema. */
export const ProviderSettings = Type.Object({
  host: Type.String({ default: '127.0.0.1', description: 'address to listen on' }),
  port: Type.Integer({
    minimum: 0,
    maximum: 65_535,
    default: 8070,
    description: 'port to listen on; 0: any free port',
  }),
  /** Needed to serve, but not by tasks. */
  apiKey: Type.Optional(
    Type.String({ minLength: 16, description: 'secret key that merchants show the simulated provider' }),
  ),
  /** Needed to serve, but not by tasks. */
  webhookSecret: Type.Optional(
    Type.String({ minLength: 16, description: 'secret that webhooks are signed with' }),
  ),
  webhookUrl: Type.String({ default: '', description: 'where webhooks go; empty: nowhere' }),
  profile: Type.Union([Type.Literal('instant'), Type.Literal('realistic')], {
    default: 'instant',
    description: 'how it behaves until told otherwise: instant (no faults) or realistic',
  }),
})

/** The settings. */
export type ProviderSettings = Static<typeof ProviderSettings>
