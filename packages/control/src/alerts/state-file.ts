/**
 * The file by which alerts survive a restart. It is replaced as a whole: whoever reads it sees the old or the new one, also after a power cut.
 *
 * @module
 */
import { open, readFile, rename } from 'node:fs/promises'
import type { Logger } from '@flotilla/core/log'
import { lazyCheck, type Static, Type } from '@flotilla/core/schema'
import { Alert } from './alert.ts'
import { Known } from './telling.ts'

const State = Type.Object({
  version: Type.Literal(1),
  /** When the rules were last looked at, in milliseconds since 1970. */
  lookedMs: Type.Number(),
  alerts: Type.Array(Alert),
  /** What each receiver knows, by its name. */
  known: Type.Record(Type.String(), Known),
})

/** What is kept. */
export type State = Static<typeof State>

const check = lazyCheck(State)

/** The file. */
export class StateFile {
  readonly #path: string
  readonly #log: Logger
  #written = ''
  #writing: Promise<void> = Promise.resolve()
  /** One that has not begun; it writes how things are when it does. */
  #next: Promise<void> | undefined

  constructor(path: string, log: Logger) {
    this.#path = path
    this.#log = log
  }

  /** What was kept; undefined when there is nothing, or nothing that can be read: then it begins anew, and the file is set aside. */
  async read(): Promise<State | undefined> {
    let text: string
    try {
      text = await readFile(this.#path, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
    try {
      const value: unknown = JSON.parse(text)
      const issues = check(value)
      if (issues === undefined) return value as State
      this.#log.error('the alerts that were kept cannot be read; they begin anew', {
        file: this.#path,
        issues,
      })
    } catch (error) {
      this.#log.error('the alerts that were kept cannot be read; they begin anew', {
        file: this.#path,
        error,
      })
    }
    await rename(this.#path, `${this.#path}.bad`)
    return undefined
  }

  /** Writes what changed, one after the other. Never rejects: alerts go on without it. */
  write(state: () => State): Promise<void> {
    this.#next ??= this.#writing.then(() => {
      this.#next = undefined
      this.#writing = this.#write(state())
      return this.#writing
    })
    return this.#next
  }

  async #write({ lookedMs, ...rest }: State): Promise<void> {
    const content = JSON.stringify(rest)
    // While nothing is wrong nothing is written; the time alone says nothing then.
    if (content === this.#written) return
    try {
      const file = await open(`${this.#path}.new`, 'w', 0o600)
      try {
        await file.writeFile(`${JSON.stringify({ ...rest, lookedMs })}\n`)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(`${this.#path}.new`, this.#path)
      this.#written = content
    } catch (error) {
      this.#log.error('alerts cannot be kept', { file: this.#path, error })
    }
  }
}
