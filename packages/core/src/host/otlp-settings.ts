/**
 * Where telemetry is sent: to the console of the system, as the control process says, and to a backend, as the standard variables of
 * OpenTelemetry say. One does not take anything from the other.
 *
 * @source https://opentelemetry.io/docs/specs/otel/protocol/exporter/
 * @module
 */
import { ConfigError, type Environment } from './config.ts'

/** One endpoint. */
export interface OtlpEndpoint {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly timeoutMs: number
}

/** Where traces go. */
export interface TracesEndpoint extends OtlpEndpoint {
  readonly name: 'console' | 'backend'
}

/** What is sent, and where to. */
export interface OtlpSettings {
  /** True: no spans and no metrics, neither sent nor kept. */
  readonly isOff: boolean
  /** Each gets all of them; none: they stay in the process. */
  readonly traces: readonly TracesEndpoint[]
  /** Absent: metrics are only there to be fetched. */
  readonly metrics: OtlpEndpoint | undefined
  readonly metricsIntervalMs: number
  /** Added to what the process says of itself. */
  readonly resource: Readonly<Record<string, string>>
}

const TIMEOUT_MS = 10_000
const INTERVAL_MS = 60_000

/**
 * Reads `OTEL_*`, which say nothing of the console, but that of `OTEL_SDK_DISABLED`. Metrics are pushed only where `OTEL_METRICS_EXPORTER` has `otlp` in it: they can be
 * fetched anyway.
 *
 * @throws ConfigError naming the variable.
 */
export function readOtlpSettings(environment: Environment): OtlpSettings {
  const isOff = environment['OTEL_SDK_DISABLED']?.toLowerCase() === 'true'
  const isWanted = (exporters: string): boolean =>
    !isOff && exporters.split(',').some((name) => name.trim() === 'otlp')
  const backend = isWanted(environment['OTEL_TRACES_EXPORTER'] || 'otlp')
    ? readEndpoint(environment, 'traces')
    : undefined
  const console = isOff ? undefined : readConsole(environment)
  return {
    isOff,
    traces: [
      ...(console === undefined ? [] : [{ ...console, name: 'console' as const }]),
      // Whoever names the console as his backend wants everything there once.
      ...(backend === undefined || backend.url === console?.url
        ? []
        : [{ ...backend, name: 'backend' as const }]),
    ],
    metrics: isWanted(environment['OTEL_METRICS_EXPORTER'] || 'none')
      ? readEndpoint(environment, 'metrics')
      : undefined,
    metricsIntervalMs: milliseconds(environment, 'OTEL_METRIC_EXPORT_INTERVAL') ?? INTERVAL_MS,
    resource: pairs(environment, 'OTEL_RESOURCE_ATTRIBUTES'),
  }
}

/** The origin that takes spans for the console, and the key to it; set by the control process for those it starts. */
function readConsole(environment: Environment): OtlpEndpoint | undefined {
  const origin = environment['FLOTILLA_TELEMETRY_URL'] || undefined
  if (origin === undefined) return undefined
  return {
    url: checked('FLOTILLA_TELEMETRY_URL', `${origin}/v1/traces`),
    headers: { 'x-otlp-api-key': environment['FLOTILLA_TELEMETRY_KEY'] ?? '' },
    timeoutMs: TIMEOUT_MS,
  }
}

function readEndpoint(environment: Environment, signal: 'traces' | 'metrics'): OtlpEndpoint | undefined {
  const general = 'OTEL_EXPORTER_OTLP'
  const own = `${general}_${signal.toUpperCase()}`
  const url = environment[`${own}_ENDPOINT`] || undefined
  const base = environment[`${general}_ENDPOINT`] || undefined
  if (url === undefined && base === undefined) return undefined
  const protocol = environment[`${own}_PROTOCOL`] || environment[`${general}_PROTOCOL`] || 'http/json'
  if (protocol !== 'http/json')
    throw new ConfigError([`${general}_PROTOCOL is not usable: only http/json is spoken`])
  return {
    url:
      url === undefined
        ? below(checked(`${general}_ENDPOINT`, base ?? ''), signal)
        : checked(`${own}_ENDPOINT`, url),
    headers: { ...pairs(environment, `${general}_HEADERS`), ...pairs(environment, `${own}_HEADERS`) },
    timeoutMs:
      milliseconds(environment, `${own}_TIMEOUT`) ??
      milliseconds(environment, `${general}_TIMEOUT`) ??
      TIMEOUT_MS,
  }
}

/** What is asked for behind a question mark stays behind the path. */
function below(base: string, signal: string): string {
  const url = new URL(base)
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/v1/${signal}`
  return url.href
}

function checked(variable: string, url: string): string {
  if (URL.canParse(url) && /^https?:/.test(url)) return url
  throw new ConfigError([`${variable} is not usable: it must be an http or https URL`])
}

/** `a=1,b=2`, values encoded as in a URL; names in lower case. */
function pairs(environment: Environment, variable: string): Readonly<Record<string, string>> {
  const text = environment[variable]?.trim() ?? ''
  if (text === '') return {}
  return Object.fromEntries(
    text.split(',').map((pair) => {
      const [name = '', ...value] = pair.split('=')
      if (name.trim() === '' || value.length === 0) {
        // The value is not shown: it may be a secret.
        throw new ConfigError([`${variable} is not usable: it must be a list as a=1,b=2`])
      }
      return [name.trim().toLowerCase(), decoded(value.join('=').trim())]
    }),
  )
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // A bare percent sign: as it stands.
    return text
  }
}

function milliseconds(environment: Environment, variable: string): number | undefined {
  const text = environment[variable]
  if (text === undefined || text === '') return undefined
  const ms = Number(text)
  if (Number.isInteger(ms) && ms > 0 && ms <= 3_600_000) return ms
  throw new ConfigError([`${variable} is not usable: it must be milliseconds, from 1 to 3600000`])
}
