/**
 * Where mistakes are made and tried.
 *
 * @module
 */
import type { Line } from '../oracle/report.ts'
import { failingTests, openServer } from './by-test.ts'
import { Copy, type Patch } from './copy.ts'
import type { Mutant, TestFile } from './mutants.ts'
import { type Conditions, makeTemplate, tryShop } from './trial.ts'

/** What came of a try. */
export interface Outcome {
  /** What does not hold, or which tests fail; none: nothing was noticed. */
  readonly caughtBy: readonly string[]
  /** Accepted until then; undefined: it was a test. */
  readonly orders: number | undefined
  readonly tookMs: number
}

interface Owner {
  after(cleanUp: () => Promise<void>): void
}

/** Tries one after the other. */
export class Bench {
  readonly #owner: Owner
  readonly #say: (text: string) => void
  readonly #copy: Copy
  #template: string | undefined
  #databaseUrl: string | undefined

  /** `say` is told of everything that does not hold. */
  constructor(owner: Owner, say: (text: string) => void) {
    this.#owner = owner
    this.#say = say
    this.#copy = Copy.make(owner)
  }

  /** Tries the shop with a mistake, or without. */
  async run(patch: Patch | undefined, under: Mutant['under']): Promise<Outcome> {
    const beginMs = Date.now()
    try {
      return await ('built' in under ? this.#test(patch, under) : this.#trial(patch, under))
    } catch (error) {
      // Nothing is shown by what could not be tried; the others still can.
      this.#say((error as Error).stack ?? String(error))
      return { caughtBy: [], orders: undefined, tookMs: Date.now() - beginMs }
    }
  }

  async #test(patch: Patch | undefined, { built }: TestFile): Promise<Outcome> {
    this.#databaseUrl ??= await openServer(this.#owner)
    this.#copy.change(patch)
    const beginMs = Date.now()
    const caughtBy = await failingTests(this.#copy, built, this.#databaseUrl)
    return { caughtBy, orders: undefined, tookMs: Date.now() - beginMs }
  }

  async #trial(patch: Patch | undefined, under: Conditions): Promise<Outcome> {
    if (this.#template === undefined) {
      this.#copy.change(undefined)
      await this.#copy.build()
      this.#template = await makeTemplate(this.#owner, this.#copy.root)
    }
    this.#copy.change(patch)
    await this.#copy.build()
    // What is wrong with a table is so from the beginning.
    const template = patch?.file.endsWith('.sql') ? undefined : this.#template
    const own: (() => Promise<void>)[] = []
    const trialOwner = { after: (cleanUp: () => Promise<void>) => void own.push(cleanUp) }
    try {
      const verdict = await tryShop(trialOwner, { root: this.#copy.root, template }, under)
      for (const line of verdict.caughtBy) this.#say(detailOf(line))
      return { ...verdict, caughtBy: verdict.caughtBy.map(({ invariant, says }) => `${invariant}: ${says}`) }
    } finally {
      for (const cleanUp of own.toReversed()) await cleanUp()
    }
  }
}

function detailOf({ invariant, violations }: Line): string {
  const [{ what, ids } = { what: '', ids: [] }] = violations
  return `  ${Number.parseInt(invariant, 10)}: ${what}: ${ids.join(' ').slice(0, 80)} (${violations.length})`
}
