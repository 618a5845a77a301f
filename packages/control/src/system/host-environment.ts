/**
 * The environment of a host process: what it is told, and nothing that is another's business.
 *
 * @module
 */
import { join } from 'node:path'
import type { DecidedSettings } from '@flotilla/core/app'
import { variableName } from '@flotilla/core/config'
import type { Signer } from '@flotilla/core/credentials'
import { databaseVariable } from '@flotilla/core/host-settings'

/** What all hosts of a system share. */
export interface EnvironmentOptions {
  /** Ours, from which settings of services are taken over. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Every service of the app. */
  readonly services: readonly string[]
  readonly version: string
  readonly socketFolder: string
  readonly registryPort: number
  readonly processKey: string
  readonly userKey: string
  /** Signs credentials of processes. */
  readonly signer: Signer
  /** Wall-clock milliseconds until which credentials are good. */
  readonly credentialsUntil: number
  /** By service. */
  readonly databaseUrls: Readonly<Record<string, string>>
  /** Settings of services that the system decides, by service and field, such as the gateway's port. */
  readonly settings: DecidedSettings
  /** The same for one-off tasks only, such as the passwords of first accounts. */
  readonly taskSettings: DecidedSettings
  /** Where spans go for the console: an origin that takes OTLP, and its key. */
  readonly telemetry?: { readonly origin: string; readonly key: string } | undefined
}

/** The service that listens on the registry's port. */
const REGISTRY = 'registry'

/** Who may listen where on TCP: everything else uses sockets only its owner can open. */
export function hostEnvironment(
  options: EnvironmentOptions,
  host: { readonly instance: string; readonly services: readonly string[] },
): Record<string, string> {
  const { instance, services } = host
  const registry = `tcp:127.0.0.1:${options.registryPort}`
  const isRegistry = services.includes(REGISTRY)
  const credential = options.signer.process({ instance, services, expiresAt: options.credentialsUntil })
  return {
    ...inherited(options, services),
    ...decided(options, services),
    ...telemetry(options),
    FLOTILLA_SERVICES: services.join(','),
    FLOTILLA_INSTANCE: instance,
    FLOTILLA_VERSION: options.version,
    FLOTILLA_FRAMES: isRegistry ? registry : `unix:${join(options.socketFolder, `${instance}.sock`)}`,
    FLOTILLA_REGISTRY: isRegistry ? '' : registry,
    FLOTILLA_PROCESS_KEY: options.processKey,
    FLOTILLA_USER_KEY: options.userKey,
    FLOTILLA_CREDENTIAL: credential,
  }
}

/** Beside the backend that whoever started us may have named, by the variables that every OpenTelemetry SDK knows. */
function telemetry({ telemetry: to }: EnvironmentOptions): Record<string, string> {
  return to === undefined ? {} : { FLOTILLA_TELEMETRY_URL: to.origin, FLOTILLA_TELEMETRY_KEY: to.key }
}

/** Settings that are the host's own: passed on from whoever started us. */
const PASSED_ON = [
  'FLOTILLA_LOG_LEVEL',
  'FLOTILLA_ISOLATION',
  'FLOTILLA_POOL_MAX',
  'FLOTILLA_ADMISSION',
  'FLOTILLA_CONCURRENCY_MIN',
  'FLOTILLA_CONCURRENCY_MAX',
  'FLOTILLA_DRAIN_DELAY_MS',
  'FLOTILLA_ZONE',
  'FLOTILLA_WEIGHT',
  'FLOTILLA_POLICIES',
  'FLOTILLA_KEY_VALUE',
  'FLOTILLA_TRACES_PER_SECOND',
  'FLOTILLA_TRACES_RATIO',
  'FLOTILLA_TRACES_SLOW_MS',
  'FLOTILLA_CRASHPOINTS',
]

/**
 * Our own environment, without the settings of services that the host does not run, and without what gives power over the whole
 * system: a service must not be able to read another's secrets.
 */
function inherited(
  { environment, services: all }: EnvironmentOptions,
  services: readonly string[],
): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined || name === 'DATABASE_URL') continue
    const isOurs = name.startsWith('FLOTILLA_') && !PASSED_ON.includes(name)
    const owner = ownerOf(name, all)
    const isForeign = owner !== undefined && !services.includes(owner)
    if (isOurs || name.startsWith('npm_') || isForeign) continue
    kept[name] = value
  }
  return kept
}

/** The service whose setting a variable is: of `auth` and `auth-admin`, AUTH_ADMIN_KEY is the latter's. */
function ownerOf(variable: string, services: readonly string[]): string | undefined {
  const prefixes = services.filter((name) => variable.startsWith(variableName(name, '')))
  return prefixes.sort((a, b) => b.length - a.length)[0]
}

function decided(
  { databaseUrls, settings }: EnvironmentOptions,
  services: readonly string[],
): Record<string, string> {
  const decisions: Record<string, string> = {}
  for (const service of services) {
    const url = databaseUrls[service]
    if (url !== undefined) decisions[databaseVariable(service)] = url
    for (const [field, value] of Object.entries(settings[service] ?? {})) {
      decisions[variableName(service, field)] = value
    }
  }
  return decisions
}
