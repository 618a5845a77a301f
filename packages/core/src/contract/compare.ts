/**
 * Is a new version of a contract compatible with the old one?
 *
 * Breaking is what a caller written against the old version would notice: something it sends is no longer taken,
 * or something comes back that it does not expect. Readers ignore fields they do not know, services do not: an input
 * may gain optional fields and lose none, an output may gain any and lose none. Everything else that changed is
 * listed too, as compatible, so that an empty list means that nothing has changed.
 *
 * @module
 */
import { codes } from '../kernel/code.ts'
import type { Access } from './access.ts'
import { breaking, type Change, changed, changeOf, compatible, onlyWords, type Verdict } from './change.ts'
import { compareRest, type Versions } from './compare-rest.ts'
import type { ContractDescription, EventDescription, OperationDescription } from './describe.ts'
import { type Narrowing, narrowings } from './narrowings.ts'
import type { Idempotency, Reason } from './operation.ts'
import { type JsonSchema, opened } from './schema.ts'

export type { Change }

/**
 * Every difference between two versions of a contract, as callers and readers of the older one see it.
 *
 * @example
 * ```ts
 * import { anyone } from '@flotilla/core/access'
 * import { compareContracts } from '@flotilla/core/compare'
 * import { defineContract } from '@flotilla/core/contract'
 * import { describeContract } from '@flotilla/core/describe'
 * import { query } from '@flotilla/core/operation'
 * import { type TSchema, Type } from '@flotilla/core/schema'
 * const answering = (output: TSchema) => {
 *   const greet = query({ summary: 'Greets.', access: anyone, output })
 *   return describeContract(defineContract({ name: 'greeter', version: 1, summary: 'Hello.', operations: { greet } }))
 * }
 * const before = answering(Type.Object({ text: Type.String() }))
 * const after = answering(Type.Object({ text: Type.Union([Type.String(), Type.Null()]) }))
 * const [change] = compareContracts(before, after)
 * assert.equal(change?.path, '/operations/greet/output/properties/text')
 * assert.equal(change?.why, 'an old reader may get a value that is null')
 * ```
 */
export function compareContracts(before: ContractDescription, after: ContractDescription): readonly Change[] {
  return [
    ...changed('/name', before.name, after.name, breaking('callers find the service by its name')),
    ...changed(
      '/version',
      before.version,
      after.version,
      breaking('it is part of every path that has no version of its own'),
    ),
    ...changed('/summary', before.summary, after.summary, onlyWords),
    ...compareNamed('/operations', before.operations, after.operations, {
      removed: breaking('old callers still call it'),
      added: compatible('old callers do not know it'),
      both: (path, one, other) => compareOperations(path, one, other, [before.version, after.version]),
    }),
    ...compareNamed('/events', before.events, after.events, {
      removed: breaking('old readers wait for it'),
      added: compatible('old readers do not subscribe to it'),
      both: compareEvents,
    }),
  ]
}

interface NamedRules<T> {
  readonly removed: Verdict
  readonly added: Verdict
  readonly both: (path: string, before: T, after: T) => readonly Change[]
}

type Named<T> = Readonly<Record<string, T>>

function compareNamed<T>(
  path: string,
  before: Named<T>,
  after: Named<T>,
  rules: NamedRules<T>,
): readonly Change[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return names.flatMap((name) => {
    // Names such as `toString` are allowed, and every object has that.
    const one = Object.hasOwn(before, name) ? before[name] : undefined
    const other = Object.hasOwn(after, name) ? after[name] : undefined
    const at = `${path}/${name}`
    if (one === undefined) return changed(at, one, other, rules.added)
    if (other === undefined) return changed(at, one, other, rules.removed)
    return rules.both(at, one, other)
  })
}

function compareOperations(
  path: string,
  before: OperationDescription,
  after: OperationDescription,
  contractVersions: Versions,
): readonly Change[] {
  const isSooner = after.timeoutMs < before.timeoutMs
  return [
    ...changed(`${path}/kind`, before.kind, after.kind, breaking('each kind is called in its own way')),
    ...changed(`${path}/summary`, before.summary, after.summary, onlyWords),
    ...compareAccess(`${path}/access`, before.access, after.access),
    ...compareRest(`${path}/rest`, before, after, contractVersions),
    ...compareInputs(`${path}/input`, before.input, after.input),
    ...compareOutputs(`${path}/output`, before.output, after.output),
    ...compareNamed(`${path}/reasons`, before.reasons, after.reasons, {
      removed: compatible('old callers look for it in vain'),
      added: compatible('old callers do not know it and go by its code'),
      both: compareReasons,
    }),
    ...changed(
      `${path}/criticality`,
      before.criticality,
      after.criticality,
      compatible('only what is shed first under load'),
    ),
    ...changed(
      `${path}/timeoutMs`,
      before.timeoutMs,
      after.timeoutMs,
      compatible(isSooner ? 'what takes longer fails sooner than it did' : 'callers may wait longer'),
    ),
    ...compareIdempotency(`${path}/idempotency`, before.idempotency, after.idempotency),
    ...changed(`${path}/cache`, before.cache, after.cache, compatible('only how fresh an answer is')),
    ...changed(
      `${path}/deprecated`,
      before.deprecated,
      after.deprecated,
      compatible('old callers may go on using it'),
    ),
  ]
}

function compareAccess(path: string, before: Access, after: Access): readonly Change[] {
  const verdict = admits(after, before)
    ? compatible('everybody who was let in still is')
    : breaking('callers who were let in are refused')
  return changed(path, before, after, verdict)
}

/** True when `wider` lets everybody in whom `narrower` lets in. */
function admits(wider: Access, narrower: Access): boolean {
  if (wider.kind === 'anyone') return true
  if (wider.kind === 'user') return narrower.kind === 'user' || narrower.kind === 'role'
  if (wider.kind === 'role') {
    return narrower.kind === 'role' && narrower.roles.every((name) => wider.roles.includes(name))
  }
  if (narrower.kind !== 'service') return false
  if (wider.services === 'any' || narrower.services === 'any') return wider.services === 'any'
  const { services } = wider
  return narrower.services.every((name) => services.includes(name))
}

function compareReasons(path: string, before: Reason, after: Reason): readonly Change[] {
  const statusOf = ({ code, status }: Reason): number => status ?? codes[code].status
  return [
    ...changed(`${path}/code`, before.code, after.code, breaking('callers decide by the code')),
    ...changed(
      `${path}/status`,
      statusOf(before),
      statusOf(after),
      breaking('HTTP callers decide by the status'),
    ),
    ...changed(`${path}/title`, before.title, after.title, onlyWords),
  ]
}

/** What old callers, who send a key or not as they had to, may be given without noticing. */
const IDEMPOTENCY_KEPT: Readonly<Record<Idempotency, readonly Idempotency[]>> = {
  natural: ['natural'],
  key: ['key', 'natural'],
  key_required: ['key_required', 'key', 'natural'],
  none: ['none', 'key', 'natural'],
}

function compareIdempotency(path: string, before: Idempotency, after: Idempotency): readonly Change[] {
  const verdict = IDEMPOTENCY_KEPT[before].includes(after)
    ? compatible('a repeat by an old caller does no more than before')
    : after === 'key_required'
      ? breaking('old callers send no key')
      : breaking('a repeat by an old caller may have its effect twice')
  return changed(path, before, after, verdict)
}

function compareInputs(path: string, before: JsonSchema, after: JsonSchema): readonly Change[] {
  return compareSchemas(path, before, after, {
    broken: narrowings(before, after).map(forwards),
    whyBroken: 'an old caller may send a value that',
    kept: narrowings(after, before).map(backwards),
    whyKept: 'takes what the old version refused',
  })
}

function compareOutputs(path: string, before: JsonSchema, after: JsonSchema): readonly Change[] {
  // Readers ignore what they do not know. So nothing is known of a field that is not named, and to stop naming one
  // is to let it become anything: that is why an optional field cannot be removed either.
  const [old, now] = [opened(before), opened(after)]
  return compareSchemas(path, before, after, {
    broken: narrowings(now, old).map(backwards),
    whyBroken: 'an old reader may get a value that',
    kept: narrowings(old, now).map(forwards),
    whyKept: 'promises more, or what old readers ignore',
  })
}

/** A narrowing as seen in the order of the versions. */
interface Difference {
  readonly path: string
  readonly before: unknown
  readonly after: unknown
  readonly why: string
}

const forwards = ({ path, from, to, why }: Narrowing): Difference => ({ path, before: from, after: to, why })
const backwards = ({ path, from, to, why }: Narrowing): Difference => ({ path, before: to, after: from, why })

interface Differences {
  readonly broken: readonly Difference[]
  readonly whyBroken: string
  readonly kept: readonly Difference[]
  readonly whyKept: string
}

/**
 * Tells what is broken, then what else changed at other places. A schema that changed in neither way is told as a
 * whole, so that no change goes unmentioned.
 */
function compareSchemas(
  path: string,
  before: JsonSchema,
  after: JsonSchema,
  { broken, whyBroken, kept, whyKept }: Differences,
): readonly Change[] {
  const change = (difference: Difference, verdict: Verdict): Change =>
    changeOf(`${path}${difference.path}`, difference.before, difference.after, verdict)
  const brokenPaths = new Set(broken.map((difference) => difference.path))
  const changes = [
    ...broken.map((difference) => change(difference, breaking(`${whyBroken} ${difference.why}`))),
    ...kept
      .filter((difference) => !brokenPaths.has(difference.path))
      .map((difference) => change(difference, compatible(whyKept))),
  ]
  return changes.length > 0 ? changes : changed(path, before, after, compatible('the same values fit'))
}

function compareEvents(path: string, before: EventDescription, after: EventDescription): readonly Change[] {
  const isRaised = after.version > before.version
  const data = compareOutputs(`${path}/data`, before.data, after.data)
  return [
    ...changed(
      `${path}/version`,
      before.version,
      after.version,
      isRaised ? compatible('readers see that it is another event') : breaking('readers go by the version'),
    ),
    ...changed(`${path}/key`, before.key, after.key, breaking('the order that readers rely on is another')),
    ...changed(`${path}/summary`, before.summary, after.summary, onlyWords),
    ...data.map((change) => {
      const isTold = change.isBreaking && isRaised
      return isTold ? { ...change, ...compatible('the raised version tells readers') } : change
    }),
  ]
}
