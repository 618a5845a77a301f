/**
 * One promise of a service: what goes in, what comes out, what can go wrong, and who may ask.
 *
 * @module
 */
import type { Code } from '../kernel/code.ts'
import type { Criticality } from '../kernel/context.ts'
import type { Access } from './access.ts'
import type { Deprecation } from './deprecation.ts'
import type { Rest, RestSpec } from './route.ts'
import { type Check, Nothing, type Static, type TSchema } from './schema.ts'

/** A way an operation can refuse, in the domain's own words. */
export interface Reason {
  readonly code: Code
  /** HTTP status instead of the code's own, such as 409 for `out_of_stock`. */
  readonly status?: number
  /** For people, without a full stop. */
  readonly title: string
}

/** Reasons by name. */
export type Reasons = Readonly<Record<string, Reason>>

/** A query changes nothing; a command may; a stream is a query that goes on answering. */
export type Kind = 'query' | 'command' | 'stream'

/**
 * What happens when the same command arrives twice.
 *
 * - `natural`: the same as once, by itself (setting a value, deleting).
 * - `key`: the same as once if the caller sent the same `Idempotency-Key`; the service keeps the answer.
 * - `key_required`: as `key`, and a call without one is refused.
 * - `none`: it happens twice; never retried once it may have started.
 */
export type Idempotency = 'natural' | 'key' | 'key_required' | 'none'

/** How long an answer may be used again. */
export interface Cacheability {
  readonly maxAgeS: number
  /**
   * - `public`: the same answer for everybody who is not known; who is may see more, and what they get is theirs.
   * - `everyone`: the same for those who are known, too: it is made as for nobody in particular.
   * - `private`: only for the caller who got it.
   */
  readonly scope: 'public' | 'everyone' | 'private'
  /** With `everyone`: users with one of these roles see more after all, and what they get is theirs. */
  readonly exceptRoles?: readonly string[]
  /**
   * What the answer tells of, as templates: see `cache-tags.ts`. Present, though it be empty: the gateway itself keeps answers,
   * until `maxAgeS` is over or something with one of the tags has changed. Absent: only clients and proxies keep them.
   */
  readonly tags?: readonly string[]
  /** Output fields, named as in templates, that are null when a part was missing for a moment: such an answer is not kept. */
  readonly partialIfNull?: readonly string[]
}

interface CommonSpec<I extends TSchema, O extends TSchema, R extends Reasons> {
  /** One sentence for people, in OpenAPI and the command line. */
  readonly summary: string
  /** Who may call it. Required: see `access.ts`. */
  readonly access: Access
  /** How it looks in HTTP, such as `GET /products/{id}`. Absent: reachable for services only. */
  readonly http?: RestSpec
  /** A closed object; absent: takes nothing. */
  readonly input?: I
  readonly output: O
  readonly reasons?: R
  /** Default `critical`. */
  readonly criticality?: Criticality
  /** How long a caller waits at most. Default 3,000 for queries, 10,000 for commands, an hour for streams. */
  readonly timeoutMs?: number
  /** Absent: it stays. */
  readonly deprecated?: Deprecation
}

/** What `query` and `stream` take. */
export interface QuerySpec<I extends TSchema, O extends TSchema, R extends Reasons>
  extends CommonSpec<I, O, R> {
  /** Absent: not to be stored by anybody. */
  readonly cache?: Cacheability
}

/** What `command` takes. */
export interface CommandSpec<I extends TSchema, O extends TSchema, R extends Reasons>
  extends CommonSpec<I, O, R> {
  readonly idempotency: Idempotency
  /**
   * What it may have changed, as templates of tags. A gateway forgets such answers when the command ends, before events tell of it:
   * who changed something sees it at the next look. Absent: nothing that is kept.
   */
  readonly changes?: readonly string[]
}

/** An operation as declared, before its contract gives it a name. */
export interface OperationSpec<
  I extends TSchema = TSchema,
  O extends TSchema = TSchema,
  R extends Reasons = Reasons,
  K extends Kind = Kind,
> {
  readonly kind: K
  readonly summary: string
  readonly access: Access
  readonly http: RestSpec | undefined
  readonly input: I
  readonly output: O
  readonly reasons: R
  readonly criticality: Criticality
  readonly timeoutMs: number
  readonly idempotency: Idempotency
  readonly cache: Cacheability | undefined
  readonly changes: readonly string[]
  readonly deprecated: Deprecation | undefined
}

/** An operation of a contract. */
export interface Operation<
  I extends TSchema = TSchema,
  O extends TSchema = TSchema,
  R extends Reasons = Reasons,
  K extends Kind = Kind,
> extends OperationSpec<I, O, R, K> {
  readonly service: string
  /** API version, part of its path: its own, or the major version of its contract. */
  readonly version: number
  readonly name: string
  /** `service.name`, unique in a system. */
  readonly id: string
  /** What a credential limited to scopes needs: `service:read` or `service:write`. */
  readonly scope: string
  readonly rest: Rest | undefined
  /** True when a repeat of the call has the effect of one, given no key. */
  readonly isIdempotent: boolean
  readonly checkInput: Check
  readonly checkOutput: Check
}

const DEFAULT_TIMEOUT_MS: Readonly<Record<Kind, number>> = {
  query: 3_000,
  command: 10_000,
  stream: 3_600_000,
}

type EmptyReasons = Record<never, Reason>

// `NoInfer` in the three results below: written inside `defineContract`, what is left out would otherwise be inferred
// from the type expected there, and an operation that declares no reasons would seem to have every one.

/** Declares an operation that changes nothing. */
export function query<
  O extends TSchema,
  I extends TSchema = typeof Nothing,
  const R extends Reasons = EmptyReasons,
>(spec: QuerySpec<I, O, R>): OperationSpec<NoInfer<I>, O, NoInfer<R>, 'query'> {
  return operation('query', spec, 'natural', spec.cache, [])
}

/** Declares an operation that may change something. */
export function command<
  O extends TSchema,
  I extends TSchema = typeof Nothing,
  const R extends Reasons = EmptyReasons,
>(spec: CommandSpec<I, O, R>): OperationSpec<NoInfer<I>, O, NoInfer<R>, 'command'> {
  return operation('command', spec, spec.idempotency, undefined, spec.changes ?? [])
}

/** Declares a query that answers many times, each with one `output`, until either side ends it. */
export function stream<
  O extends TSchema,
  I extends TSchema = typeof Nothing,
  const R extends Reasons = EmptyReasons,
>(spec: QuerySpec<I, O, R>): OperationSpec<NoInfer<I>, O, NoInfer<R>, 'stream'> {
  return operation('stream', spec, 'natural', undefined, [])
}

function operation<I extends TSchema, O extends TSchema, R extends Reasons, K extends Kind>(
  kind: K,
  spec: CommonSpec<I, O, R>,
  idempotency: Idempotency,
  cache: Cacheability | undefined,
  changes: readonly string[],
): OperationSpec<I, O, R, K> {
  return {
    kind,
    summary: spec.summary,
    access: spec.access,
    http: spec.http,
    input: (spec.input ?? Nothing) as I,
    output: spec.output,
    reasons: (spec.reasons ?? {}) as R,
    criticality: spec.criticality ?? 'critical',
    timeoutMs: spec.timeoutMs ?? DEFAULT_TIMEOUT_MS[kind],
    idempotency,
    cache,
    changes,
    deprecated: spec.deprecated,
  }
}

/** The input of an operation as a type. */
export type InputOf<S> = S extends OperationSpec<infer I, infer _O, infer _R, infer _K> ? Static<I> : never

/** The output (of a stream: one item) as a type. */
export type OutputOf<S> = S extends OperationSpec<infer _I, infer O, infer _R, infer _K> ? Static<O> : never

/** The names of an operation's reasons. */
export type ReasonOf<S> =
  S extends OperationSpec<infer _I, infer _O, infer R, infer _K> ? keyof R & string : never
