/**
 * Logs: one JSON object a line, with the same field names in every process.
 *
 * @module
 */
import { type DestinationStream, pino, stdSerializers } from 'pino'
import { type Clock, isoTime } from '../kernel/clock.ts'
import { Redaction } from './redaction.ts'

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
  /** What is never written; it may learn more later. Default: what is always secret. */
  readonly redaction?: Redaction
  /** Where the lines go: a file descriptor, or a stream. Default 1, standard output. */
  readonly destination?: number | DestinationStream
}

/** Opens a logger. */
export function createLogger(options: LogOptions): Logger {
  const { clock, destination = 1, redaction = new Redaction() } = options
  const root = pino(
    {
      level: options.level,
      base: redaction.apply(options.fields),
      messageKey: 'message',
      errorKey: 'error',
      timestamp: () => `,"timestamp":"${isoTime(clock.now())}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: (error: unknown) => shown(error, redaction) },
    },
    // Written before the call returns, so that a crash loses no line.
    typeof destination === 'number' ? pino.destination({ fd: destination, sync: true }) : destination,
  )
  return wrap(root, redaction)
}

/** An error as it is written. Its own fields (`data`, `issues`) may hold anything. */
function shown(error: unknown, redaction: Redaction): unknown {
  if (!(error instanceof Error)) return error
  // Taken from it: this form knows the error it shows, and shows it once more to who asks for it.
  return redaction.apply({ ...stdSerializers.err(error) })
}

type Sink = Pick<ReturnType<typeof pino>, 'debug' | 'info' | 'warn' | 'error' | 'isLevelEnabled'> & {
  child(fields: LogFields): Sink
}

function wrap(sink: Sink, redaction: Redaction): Logger {
  const writer =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, fields: LogFields = {}): void => {
      if (sink.isLevelEnabled(level)) sink[level](redaction.apply(fields), message)
    }
  return {
    debug: writer('debug'),
    info: writer('info'),
    warn: writer('warn'),
    error: writer('error'),
    with: (fields) => wrap(sink.child(redaction.apply(fields)), redaction),
  }
}
