/**
 * The data folder: everything a system keeps on disk, for its owner's eyes only.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import {
  accessSync,
  chmodSync,
  constants,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { FlotillaError } from '@flotilla/core/error'
import type { Random } from '@flotilla/core/random'

const AS_OWNER = 'run this as the user who started it'

/** A data folder. */
export class DataFolder {
  readonly path: string
  readonly logs: string
  readonly postgres: string
  /** Sockets live elsewhere: their paths may have 107 bytes, and a checkout can be anywhere. */
  readonly sockets: string

  /** Names it. Nothing is touched: whoever only looks leaves no trace. */
  constructor(path: string) {
    this.path = resolve(path)
    this.logs = join(this.path, 'logs')
    this.postgres = join(this.path, 'postgres')
    const tag = createHash('sha256').update(this.path).digest('hex').slice(0, 12)
    this.sockets = join(tmpdir(), `flotilla-${tag}`)
  }

  /** Makes what is missing. @throws FlotillaError `failed_precondition` when it cannot be written. */
  make(): void {
    try {
      for (const folder of [this.path, this.logs, this.sockets]) {
        mkdirSync(folder, { recursive: true, mode: 0o700 })
        accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK)
      }
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException
      const advice = code === 'EACCES' ? `${AS_OWNER}, or choose` : 'choose'
      throw new FlotillaError(
        'failed_precondition',
        `The data folder ${this.path} cannot be written (${code}); ${advice} another with --data or FLOTILLA_DATA.`,
        { cause },
      )
    }
    // Everybody may write where it lies, so somebody may have been there first.
    const found = lstatSync(this.sockets)
    if (!found.isDirectory()) {
      throw new FlotillaError('failed_precondition', `${this.sockets} is not a folder; remove it.`)
    }
    if (found.uid !== process.getuid?.()) {
      throw new FlotillaError(
        'failed_precondition',
        `The data folder ${this.path} is used by another user, whose ${this.sockets} is; ${AS_OWNER}.`,
      )
    }
    chmodSync(this.sockets, 0o700)
  }

  /**
   * Reads what `writeJson` wrote; undefined when it is not there or was cut short.
   *
   * @throws FlotillaError `failed_precondition` when it is not ours to read.
   */
  readJson<T>(name: string): T | undefined {
    const path = join(this.path, name)
    try {
      return JSON.parse(readFileSync(path, 'utf8')) as T
    } catch (cause) {
      const { code = '' } = cause as NodeJS.ErrnoException
      if (['ENOENT', 'ENOTDIR'].includes(code) || cause instanceof SyntaxError) return undefined
      const advice = code === 'EACCES' ? `; ${AS_OWNER}` : ''
      throw new FlotillaError('failed_precondition', `${path} cannot be read (${code})${advice}.`, { cause })
    }
  }

  /** Replaces a file as a whole: whoever reads it sees the old or the new one. */
  writeJson(name: string, value: unknown): void {
    const path = join(this.path, name)
    writeFileSync(`${path}.new`, `${JSON.stringify(value, undefined, 2)}\n`, { mode: 0o600 })
    renameSync(`${path}.new`, path)
  }

  /** Writes a file that is not there; false, and nothing done, when it is. */
  createJson(name: string, value: unknown): boolean {
    const path = join(this.path, name)
    const own = `${path}.${process.pid}`
    writeFileSync(own, `${JSON.stringify(value, undefined, 2)}\n`, { mode: 0o600 })
    try {
      linkSync(own, path)
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
      throw error
    } finally {
      rmSync(own)
    }
  }

  /**
   * Names of the processes that have a log; none when nothing ever ran here.
   *
   * @throws FlotillaError `failed_precondition` when it is not ours to read.
   */
  logNames(): readonly string[] {
    try {
      return readdirSync(this.logs)
        .filter((name) => name.endsWith('.log'))
        .map((name) => name.slice(0, -'.log'.length))
    } catch (cause) {
      const { code = '' } = cause as NodeJS.ErrnoException
      if (['ENOENT', 'ENOTDIR'].includes(code)) return []
      throw new FlotillaError('failed_precondition', `${this.logs} cannot be read (${code}); ${AS_OWNER}.`, {
        cause,
      })
    }
  }

  /** Gives a file another name; does nothing when it is not there. */
  move(from: string, to: string): void {
    try {
      renameSync(join(this.path, from), join(this.path, to))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }

  remove(name: string): void {
    rmSync(join(this.path, name), { force: true })
  }
}

const SECRETS_FILE = 'secrets.json'

/** Words for passwords and tokens: made once, kept in the data folder. */
export class Secrets {
  readonly #folder: DataFolder
  readonly #random: Random
  readonly #values: Record<string, string>

  constructor(folder: DataFolder, random: Random) {
    this.#folder = folder
    this.#random = random
    this.#values = folder.readJson<Record<string, string>>(SECRETS_FILE) ?? {}
  }

  /** The secret of that name: 24 characters, 144 bits. */
  get(name: string): string {
    const known = this.#values[name]
    if (known !== undefined) return known
    const made = Buffer.from(this.#random.bytes(18)).toString('base64url')
    this.#values[name] = made
    this.#folder.writeJson(SECRETS_FILE, this.#values)
    return made
  }
}
