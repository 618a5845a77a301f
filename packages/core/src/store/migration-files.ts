/**
 * A folder of migrations: plain `.sql` files named `0001-what.sql`, numbered from 1 without gaps.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { FlotillaError } from '../kernel/error.ts'

/** Migrations with a numbering of their own. */
export interface MigrationSet {
  /** `platform`, or the name of the service. */
  readonly name: string
  readonly folder: string | URL
}

/** One file. */
export interface Migration {
  readonly number: number
  /** The file's name. */
  readonly name: string
  readonly text: string
  /** SHA-256 of the text, hexadecimal. */
  readonly checksum: string
}

/**
 * The tables that the platform itself keeps in every service's database. Found by the package's name: this code may run
 * from a bundle that lies somewhere else.
 */
export const platformMigrations: MigrationSet = {
  name: 'platform',
  folder: new URL('.', import.meta.resolve('@flotilla/core/migrations/0001-idempotency.sql')),
}

const FILE_NAME = /^(\d{4})-[a-z0-9-]+\.sql$/

/**
 * Reads a folder; files that do not end in `.sql` are left alone. A folder that does not exist is an error, not an
 * empty one.
 *
 * @throws FlotillaError `failed_precondition` naming the file that is misnamed, missing or numbered twice.
 */
export async function readMigrations({ name: set, folder }: MigrationSet): Promise<readonly Migration[]> {
  const path = typeof folder === 'string' ? folder : fileURLToPath(folder)
  const entries = await readdir(path).catch((cause: unknown) => {
    throw refuse(`The migrations of ${set} cannot be read from ${path}.`, cause)
  })
  const names = entries.filter((name) => name.endsWith('.sql')).sort()
  return Promise.all(
    names.map(async (name, index) => {
      const number = numberOf(name)
      if (index > 0 && number === index) throw refuse(`${names[index - 1]} and ${name} have the same number.`)
      if (number !== index + 1) {
        throw refuse(`Before ${name} there is no migration ${String(index + 1).padStart(4, '0')}.`)
      }
      // A checkout with other line ends is the same migration.
      const text = (await readFile(join(path, name), 'utf8')).replaceAll('\r\n', '\n')
      return { number, name, text, checksum: createHash('sha256').update(text).digest('hex') }
    }),
  )
}

function numberOf(name: string): number {
  const match = FILE_NAME.exec(name)
  if (!match) throw refuse(`${name} is not named like a migration: 0001-what-it-does.sql.`)
  return Number(match[1])
}

function refuse(message: string, cause?: unknown): FlotillaError {
  return new FlotillaError('failed_precondition', message, { cause })
}
