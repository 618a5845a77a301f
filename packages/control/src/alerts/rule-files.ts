/**
 * The files of rules: the app's, and the operator's. Each is read at the start and whenever it changes, and holds as a whole or not at all: with
 * a mistake anywhere all mistakes are told by their paths, and what it said before goes on holding.
 *
 * What is said later replaces what has the same name and was said before: the operator's file goes before the app's, and that before what is inside.
 *
 * @module
 */
import { basename } from 'node:path'
import type { Clock } from '@flotilla/core/clock'
import type { Logger } from '@flotilla/core/log'
import { PolicyFile, type PolicySection } from '@flotilla/core/policy-file'
import { closed, lazyCheck, Type } from '@flotilla/core/schema'
import { defaultObjectives, defaultRules } from './default-rules.ts'
import { type Trouble, troubleKinds } from './lookout.ts'
import { rulesOfObjective } from './objective.ts'
import { type ReceiverSpec, ReceiverSpecs } from './receiver-spec.ts'
import type { Rule } from './rule.ts'
import {
  mistakesInObjectives,
  mistakesInRules,
  NAME_PATTERN,
  type ObjectiveSpec,
  ObjectiveSpecs,
  type RuleSpec,
  RuleSpecs,
  ruleOf,
} from './rule-spec.ts'

/** What one file says. */
export interface RuleLayer {
  readonly rules: Readonly<Record<string, RuleSpec>>
  readonly objectives: Readonly<Record<string, ObjectiveSpec>>
  readonly receivers: Readonly<Record<string, ReceiverSpec>>
  /** Names of rules and objectives that are not to be. */
  readonly off: readonly string[]
}

const nothingSaid: RuleLayer = { rules: {}, objectives: {}, receivers: {}, off: [] }

/** What is inside. */
export const defaultLayer: RuleLayer = {
  ...nothingSaid,
  rules: defaultRules,
  objectives: defaultObjectives,
}

/** All rules of these layers, the later ones replacing those before; `keptMs`: for so long samples are kept. */
export function rulesOf(layers: readonly RuleLayer[], keptMs: number): readonly Rule[] {
  const rules: Record<string, RuleSpec> = {}
  const objectives: Record<string, ObjectiveSpec> = {}
  for (const layer of layers) {
    Object.assign(rules, layer.rules)
    Object.assign(objectives, layer.objectives)
    for (const name of layer.off) {
      delete rules[name]
      delete objectives[name]
    }
  }
  return [
    ...Object.entries(rules).map(([name, spec]) => ruleOf(name, spec)),
    ...Object.entries(objectives).flatMap(([name, spec]) => rulesOfObjective(name, spec, keptMs)),
  ]
}

/** What it takes. */
export interface RuleFilesOptions {
  /** In order. */
  readonly paths: readonly string[]
  readonly clock: Clock
  readonly log: Logger
  readonly keptMs: number
}

interface Followed {
  readonly path: string
  readonly file: PolicyFile
  layer: RuleLayer
  mistakes: readonly string[]
}

/** Follows the files. */
export class RuleFiles {
  readonly #options: RuleFilesOptions
  readonly #files: readonly Followed[]
  #rules: readonly Rule[]

  constructor(options: RuleFilesOptions) {
    this.#options = options
    this.#files = options.paths.map((path) => this.#follow(path))
    this.#rules = rulesOf([defaultLayer], options.keptMs)
  }

  /** Those that hold now; the same ones until a file changes. */
  get rules(): readonly Rule[] {
    return this.#rules
  }

  /** By name. */
  get receivers(): Readonly<Record<string, ReceiverSpec>> {
    return Object.assign({}, ...this.#files.map(({ layer }) => layer.receivers)) as RuleLayer['receivers']
  }

  /** Files with mistakes, of which what they said before holds. */
  get refused(): readonly Trouble[] {
    return this.#files
      .filter(({ mistakes }) => mistakes.length > 0)
      .map(({ path, mistakes: [first = '', ...more] }) => ({
        labels: { file: basename(path) },
        why: more.length === 0 ? first : `${first} (and ${more.length} more)`,
      }))
  }

  async open(): Promise<void> {
    for (const { file } of this.#files) await file.open()
  }

  async close(): Promise<void> {
    for (const { file } of this.#files) await file.close()
  }

  #follow(path: string): Followed {
    const { clock, log, keptMs } = this.#options
    let read: Record<string, unknown> = {}
    const file = new PolicyFile({
      path,
      clock,
      sections: sections((name, value) => {
        read = { ...read, [name]: value }
      }),
      onRead: (mistakes) => {
        followed.mistakes = mistakes
        if (mistakes.length > 0) {
          log.error('the alert rules have mistakes; nothing is changed', { file: path, mistakes })
          return
        }
        const said = Object.entries(read).filter(([, value]) => value !== undefined)
        followed.layer = { ...nothingSaid, ...Object.fromEntries(said) }
        this.#rules = rulesOf([defaultLayer, ...this.#files.map(({ layer }) => layer)], keptMs)
        log.info('the alert rules hold', { file: path })
      },
    })
    const followed: Followed = { path, file, layer: nothingSaid, mistakes: [] }
    return followed
  }
}

const Off = Type.Array(Type.String({ pattern: NAME_PATTERN }), { maxItems: 100 })

function sections(apply: (name: string, value: unknown) => void): Record<string, PolicySection> {
  const section = (name: keyof RuleLayer, found: Omit<PolicySection, 'apply'>): [string, PolicySection] => [
    name,
    { ...found, apply: (value) => apply(name, value) },
  ]
  return Object.fromEntries([
    section('rules', {
      check: lazyCheck(RuleSpecs),
      mistakesIn: (value) => {
        const specs = value as RuleLayer['rules']
        const taken = troubleKinds.filter((kind) => Object.hasOwn(specs, kind))
        return [
          ...mistakesInRules(specs),
          ...taken.map((kind) => `/${kind}: is the name of an alert about alerting itself`),
        ]
      },
    }),
    section('objectives', {
      check: lazyCheck(ObjectiveSpecs),
      mistakesIn: (value) => mistakesInObjectives(value as RuleLayer['objectives']),
    }),
    section('off', { check: lazyCheck(closed(Off)) }),
    section('receivers', { check: lazyCheck(ReceiverSpecs) }),
  ])
}
