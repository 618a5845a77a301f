/**
 * The URL of a database, which holds a password.
 *
 * @module
 */
import { FlotillaError } from '../kernel/error.ts'

/** @throws FlotillaError `invalid_argument`; the text is not repeated in it. */
export function parseDatabaseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'postgres:' || url?.protocol === 'postgresql:') return url
  throw new FlotillaError(
    'invalid_argument',
    'The database URL is not of the form postgres://user:password@host:port/database.',
    {
      executed: 'no',
    },
  )
}
