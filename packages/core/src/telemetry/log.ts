/**
 * Logs: one JSON object a line, with the same field names in every process.
 *
 * @module
 */
import { type DestinationStream, pino } from 'pino'
import { type Clock, isoTime } from '../kernel/clock.ts'

/** Fields of one line, beside the message. */
export type LogFields = Readonly<Record<string, unknown>>

/** Writes lines; `with` gives a logger whose lines all carry some fields. */
export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  /** `fields.error` may be a caught error: its name, message, stack and causes are written. */
  error(message: string, fields?: LogFields): void
  with(fields: LogFields): Logger
}

/** Levels, the chattiest first. */
export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const

/** One of the levels. */
export type LogLevel = (typeof logLevels)[number]

/** What a logger is made of. */
export interface LogOptions {
  readonly level: LogLevel
  readonly clock: Clock
  /** Fields of every line: `service`, `instance`, `version`. */
  readonly fields: LogFields
  /** Where the lines go: a file descriptor, or a stream. Default 1, standard output. */
  readonly destination?: number | DestinationStream
}

/** Never written, wherever in the fields they stand one or two levels deep. */
const SECRET_FIELDS = [
  'password',
  'passwordHash',
  'token',
  'accessToken',
  'refreshToken',
  'apiKey',
  'secret',
  'authorization',
  'cookie',
  'paymentToken',
]

/** Opens a logger. */
export function createLogger(options: LogOptions): Logger {
  const { clock, destination = 1 } = options
  const root = pino(
    {
      level: options.level,
      base: options.fields,
      messageKey: 'message',
      errorKey: 'error',
      timestamp: () => `,"timestamp":"${isoTime(clock.now())}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: SECRET_FIELDS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
        censor: '[redacted]',
      },
    },
    // Written before the call returns, so that a crash loses no line.
    typeof destination === 'number' ? pino.destination({ fd: destination, sync: true }) : destination,
  )
  return wrap(root)
}

type Sink = Pick<ReturnType<typeof pino>, 'debug' | 'info' | 'warn' | 'error'> & {
  child(fields: LogFields): Sink
}

function wrap(sink: Sink): Logger {
  return {
    debug: (message, fields = {}) => sink.debug(fields, message),
    info: (message, fields = {}) => sink.info(fields, message),
    warn: (message, fields = {}) => sink.warn(fields, message),
    error: (message, fields = {}) => sink.error(fields, message),
    with: (fields) => wrap(sink.child(fields)),
  }
}
