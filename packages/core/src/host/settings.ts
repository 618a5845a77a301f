/**
 * What a host process is told by its environment.
 *
 * @module
 */
import { type Static, Type } from '../contract/schema.ts'
import { type Environment, readConfig, variableName } from './config.ts'

const Text = Type.String({ minLength: 1 })

const HostSettings = Type.Object({
  services: Type.Array(Text, { minItems: 1, description: 'comma-separated names of the services to run' }),
  instance: Type.String({
    minLength: 1,
    maxLength: 64,
    pattern: '^[A-Za-z0-9_-]+$',
    description: 'unique name of this process',
  }),
  version: Type.String({ minLength: 1, default: '0.1.0', description: 'version of the code' }),
  frames: Type.String({
    pattern: '^(unix:.+|tcp:.+:[0-9]+)$',
    description: 'where to take frames: unix:PATH or tcp:HOST:PORT',
  }),
  httpHost: Type.String({ default: '127.0.0.1', description: 'where to speak HTTP' }),
  httpPort: Type.Integer({
    minimum: 0,
    maximum: 65_535,
    default: 0,
    description: 'where to speak HTTP; 0: any free port',
  }),
  registry: Type.String({
    description: 'where the registry takes frames; empty: it is in this process, or there is none',
    default: '',
  }),
  processKey: Type.String({ description: 'public key that process credentials are signed with' }),
  userKey: Type.String({ description: 'public key that user tokens are signed with' }),
  credential: Type.String({ description: 'credential of this process' }),
  isolation: Type.Union([Type.Literal('none'), Type.Literal('freeze'), Type.Literal('clone')], {
    default: 'none',
    description: 'how calls inside the process keep values apart: none, freeze or clone',
  }),
  zone: Type.String({
    maxLength: 64,
    default: '',
    description: 'where this process runs: calls prefer instances of the same zone',
  }),
  weight: Type.Number({
    exclusiveMinimum: 0,
    maximum: 1_000,
    default: 1,
    description: 'how many calls it is meant to get, in relation to others',
  }),
  policies: Type.String({
    default: '',
    description: 'file of policies, JSON or YAML, read again when it changes; empty: there is none',
  }),
  keyValue: Type.String({
    pattern: '^(rediss?://.+)?$',
    default: '',
    description:
      'Redis that holds what instances share, as rate limits, such as redis://host:6379; empty: the registry does',
  }),
  logLevel: Type.Union(
    [
      Type.Literal('debug'),
      Type.Literal('info'),
      Type.Literal('warn'),
      Type.Literal('error'),
      Type.Literal('silent'),
    ],
    { default: 'info', description: 'debug, info, warn, error or silent' },
  ),
  tracesPerSecond: Type.Integer({
    minimum: 0,
    maximum: 100_000,
    default: 100,
    description: 'traces that are recorded whole each second, of those that begin in this process',
  }),
  tracesRatio: Type.Number({
    minimum: 0,
    maximum: 1,
    default: 0.01,
    description: 'share of the traces beyond that are recorded whole, too',
  }),
  tracesSlowMs: Type.Integer({
    minimum: 1,
    default: 500,
    description: 'milliseconds from which on a trace is slow; slow and failed ones are always recorded',
  }),
  poolMax: Type.Integer({
    minimum: 1,
    maximum: 200,
    default: 10,
    description: 'database connections per service',
  }),
  admission: Type.Union([Type.Literal('adaptive'), Type.Literal('fixed')], {
    default: 'adaptive',
    description:
      'adaptive, or fixed: every limit stays at its maximum, and nothing is refused for a late event loop',
  }),
  concurrencyMin: Type.Integer({
    minimum: 1,
    maximum: 10_000,
    default: 2,
    description: 'calls of one operation that may always run at once',
  }),
  concurrencyMax: Type.Integer({
    minimum: 1,
    maximum: 10_000,
    default: 256,
    description: 'calls of one operation that may run at once as long as they are quick',
  }),
  isHeld: Type.Boolean({
    default: false,
    description: 'whether the process loads what it needs and opens nothing before its supervisor says so',
  }),
  drainDelayMs: Type.Integer({
    minimum: 0,
    // Well below the time after which a process gives closing up.
    maximum: 15_000,
    default: 100,
    description: 'how long to go on taking calls after leaving the registry',
  }),
  crashpoints: Type.String({
    default: '',
    description: 'for tests: folder by which crash points are armed; empty: they do nothing',
  }),
})

/** The settings. */
export type HostSettings = Static<typeof HostSettings>

/** @throws ConfigError with one line per mistake. */
export function readHostSettings(environment: Environment): HostSettings {
  return readConfig(HostSettings, 'flotilla', environment)
}

/** The variable that holds the URL of a service's database. */
export function databaseVariable(service: string): string {
  return variableName('flotilla-database', service)
}
