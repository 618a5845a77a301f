/**
 * The file of the operator's policies: JSON or YAML, read at the start and whenever it changes.
 *
 * A change holds as a whole or not at all: with a mistake anywhere, all mistakes are told by their paths in the file, and what held before
 * goes on holding. That is also so for a process that starts: it begins without policies rather than not at all, because a mistake in this
 * file must not be able to keep a service down. Everything in it therefore has a default that works.
 *
 * @module
 */
import { readFile, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { type Check, lazyCheck, Type } from '../contract/schema.ts'
import type { Clock, Timer } from '../kernel/clock.ts'

/** A part of the file that somebody takes care of. */
export interface PolicySection {
  readonly check: Check
  /** Mistakes that a schema cannot see, each as `pointer: what is wrong`; `folder` is that of the file. Default none. */
  readonly mistakesIn?: (value: unknown, folder: string) => readonly string[] | Promise<readonly string[]>
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
const isMapping = lazyCheck(Type.Record(Type.String(), Type.Unknown()))

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

  async #apply(policies: Readonly<Record<string, unknown>>): Promise<readonly string[]> {
    const { sections } = this.#options
    const mistakes = await mistakesIn(policies, this.#options)
    if (mistakes.length > 0) return mistakes
    for (const [name, { apply }] of Object.entries(sections)) apply(policies[name])
    return []
  }
}

/** All mistakes of a file's content, by its sections: each as `pointer: what is wrong`. */
async function mistakesIn(
  policies: Readonly<Record<string, unknown>>,
  { path, sections, elsewhere }: Pick<PolicyFileOptions, 'path' | 'sections' | 'elsewhere'>,
): Promise<readonly string[]> {
  const mistakes: string[] = []
  for (const [name, value] of Object.entries(policies)) {
    const section = Object.hasOwn(sections, name) ? sections[name] : undefined
    if (section === undefined) {
      if (elsewhere?.has(name)) continue
      mistakes.push(`/${name}: is not known; there are ${Object.keys(sections).join(', ')}`)
      continue
    }
    const issues = section.check(value) ?? []
    mistakes.push(...issues.map(({ pointer, message }) => `/${name}${pointer}: ${message}`))
    if (issues.length === 0) {
      const more = (await section.mistakesIn?.(value, dirname(resolve(path)))) ?? []
      mistakes.push(...more.map((mistake) => `/${name}${mistake}`))
    }
  }
  return mistakes
}

/** The content of a file, or why it cannot be read. A file that is empty says nothing. */
async function readPolicies(
  path: string,
): Promise<
  { readonly policies: Readonly<Record<string, unknown>> } | { readonly mistakes: readonly string[] }
> {
  try {
    const text = await readFile(path, 'utf8')
    const value: unknown = path.endsWith('.json') ? JSON.parse(text) : await parseYaml(text)
    if (value === null || value === undefined) return { policies: {} }
    if (isMapping(value) !== undefined) return { mistakes: ['the file must be a mapping of sections'] }
    return { policies: value as Readonly<Record<string, unknown>> }
  } catch (error) {
    return { mistakes: [(error as Error).message] }
  }
}

/** YAML 1.2, which has JSON in it. Loaded when there is any: most processes never need it. */
async function parseYaml(text: string): Promise<unknown> {
  // A bundle has the default export only.
  const { default: yaml } = await import('yaml')
  // Aliases can make a small file a huge one.
  return yaml.parse(text, { maxAliasCount: 100, prettyErrors: true })
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
