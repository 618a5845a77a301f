/**
 * The file of the operator's policies: JSON or YAML, read at the start and whenever it changes.
 *
 * A change holds as a whole or not at all: with a mistake anywhere, all mistakes are told by their paths in the file, and what held before
 * goes on holding. That is also so for a process that starts: it begins without policies rather than not at all, because a mistake in this
 * file must not be able to keep a service down. Everything in it therefore has a default that works.
 *
 * @module
 */
import { stat } from 'node:fs/promises'
import type { Clock, Timer } from '../kernel/clock.ts'
import type { OwnPolicySection } from '../service/definition.ts'
import { mistakesIn, type Policies, readPolicies } from './policy-check.ts'

/** A part of the file that somebody takes care of. */
export interface PolicySection extends OwnPolicySection {
  /** Gets what passed the checks; undefined when the file does not have it any more. */
  readonly apply: (value: unknown) => void
}

/** What reading it takes. */
export interface PolicyFileOptions {
  readonly path: string
  readonly clock: Clock
  /** By its name in the file. */
  readonly sections: Readonly<Record<string, PolicySection>>
  /** Names of sections that somebody else takes care of: they are passed over. All others are mistakes. Default none. */
  readonly elsewhere?: ReadonlySet<string>
  /** Told after every change: the mistakes, or none when it holds now. */
  readonly onRead: (mistakes: readonly string[]) => void
}

/** How often it is looked for a change: what is asked is only when it was written. */
const LOOK_MS = 500

/** Follows one file. */
export class PolicyFile {
  readonly #options: PolicyFileOptions
  #stamp = ''
  #timer: Timer | undefined
  #looking: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(options: PolicyFileOptions) {
    this.#options = options
  }

  /** Reads it, and goes on looking for changes. */
  async open(): Promise<void> {
    await this.#look()
    this.#schedule()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer?.cancel()
    await this.#looking
  }

  #schedule(): void {
    if (this.#isClosed) return
    this.#timer = this.#options.clock.schedule(LOOK_MS, () => {
      this.#looking = this.#look().then(() => this.#schedule())
    })
  }

  async #look(): Promise<void> {
    const { path, onRead } = this.#options
    const stamp = await stampOf(path)
    if (stamp === this.#stamp) return
    this.#stamp = stamp
    const read = await readPolicies(path)
    const mistakes = 'mistakes' in read ? read.mistakes : await this.#apply(read.policies)
    onRead(mistakes)
  }

  async #apply(policies: Policies): Promise<readonly string[]> {
    const { path, sections, elsewhere } = this.#options
    const mistakes = await mistakesIn({ path, policies, checks: sections, elsewhere })
    if (mistakes.length > 0) return mistakes
    for (const [name, { apply }] of Object.entries(sections)) apply(policies[name])
    return []
  }
}

/** Changes with the file: when it was written, its length, and which file it is, as mounts swap whole files. */
async function stampOf(path: string): Promise<string> {
  try {
    const { mtimeMs, size, ino } = await stat(path)
    return `${mtimeMs} ${size} ${ino}`
  } catch {
    // Reading it says what is the matter.
    return 'unreadable'
  }
}
