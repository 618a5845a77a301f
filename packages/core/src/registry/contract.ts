/**
 * The registry as a contract: where instances announce themselves and callers learn of them. Its server is a service like
 * any other (`control/directory`). Since every process reaches it and there is one, it also holds what instances of a service share and
 * may lose: the embedded side of the key-value port (`core/key-value`).
 *
 * @module
 */
import { anyService } from '../contract/access.ts'
import { defineContract } from '../contract/contract.ts'
import { command, query, stream } from '../contract/operation.ts'
import { Id, Nothing, type Static, Type } from '../contract/schema.ts'

/** An instance sends its record this often. */
export const HEARTBEAT_MS = 5_000

/** Without one for so long it counts as gone. */
export const LEASE_MS = 15_000

const Name = Type.String({ minLength: 1, maxLength: 64 })
const Location = Type.String({ maxLength: 300 })

const InstanceRecord = Type.Object({
  instance: Id,
  service: Name,
  version: Name,
  frames: Location,
  http: Location,
  zone: Type.Optional(Type.String({ maxLength: 64 })),
  weight: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1_000 })),
})

/**
 * Why an instance is gone: it said so, its lease ran out, or it did not answer when asked. Callers believe the first at
 * once.
 */
const Why = Type.Union([Type.Literal('left'), Type.Literal('expired'), Type.Literal('unhealthy')])

/** Tokens of a bucket: see `Tokens` of the key-value port. Buckets of different services are different ones. */
const Tokens = Type.Object({
  key: Type.String({ maxLength: 512 }),
  policy: Type.Object({
    perMinute: Type.Number({ exclusiveMinimum: 0, maximum: 1_000_000_000 }),
    burst: Type.Number({ minimum: 1, maximum: 1_000_000_000 }),
  }),
  count: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
})

/** One piece of news for a watcher. */
export const Update = Type.Union([
  Type.Object({ kind: Type.Literal('snapshot'), instances: Type.Array(InstanceRecord) }),
  Type.Object({ kind: Type.Literal('up'), instance: InstanceRecord }),
  Type.Object({ kind: Type.Literal('down'), instance: InstanceRecord, why: Why }),
])

/** One piece of news. */
export type Update = Static<typeof Update>

/** The registry's contract. */
export const registryContract = defineContract({
  name: 'registry',
  version: 1,
  summary: 'Knows where instances are and whether they are well.',
  operations: {
    register: command({
      summary: 'Announces an instance, or renews its lease; the whole record each time.',
      access: anyService,
      idempotency: 'natural',
      timeoutMs: 2_000,
      input: InstanceRecord,
      output: Nothing,
      reasons: {
        not_yours: { code: 'permission_denied', title: 'A process may announce only services it runs' },
        full: { code: 'resource_exhausted', status: 503, title: 'The registry is full' },
      },
    }),
    deregister: command({
      summary: 'Takes an instance off the list at once.',
      access: anyService,
      idempotency: 'natural',
      timeoutMs: 2_000,
      input: Type.Object({ service: Name, instance: Id }),
      output: Nothing,
      reasons: {
        not_yours: { code: 'permission_denied', title: 'A process may take off only services it runs' },
      },
    }),
    report: command({
      summary: 'Tells that calls to an instance fail, so that it is looked at now.',
      access: anyService,
      idempotency: 'natural',
      timeoutMs: 2_000,
      criticality: 'sheddable_plus',
      input: Type.Object({ service: Name, instance: Id }),
      output: Nothing,
    }),
    takeTokens: command({
      summary: 'Takes up to so many tokens of a bucket of the calling service, by the clock of the registry.',
      access: anyService,
      // A repeat takes more; what an answer that was lost had taken comes back with time.
      idempotency: 'none',
      timeoutMs: 1_000,
      criticality: 'sheddable_plus',
      input: Tokens,
      output: Type.Object({
        taken: Type.Integer({ minimum: 0 }),
        /** Milliseconds until the next token; 0 when all were there. */
        retryAfterMs: Type.Integer({ minimum: 0 }),
      }),
    }),
    giveBackTokens: command({
      summary: 'Gives back tokens that were taken and not used.',
      access: anyService,
      idempotency: 'none',
      timeoutMs: 1_000,
      criticality: 'sheddable_plus',
      input: Type.Object({ rests: Type.Array(Tokens, { maxItems: 500 }) }),
      output: Nothing,
    }),
    list: query({
      summary: 'All instances that are up.',
      access: anyService,
      output: Type.Object({ instances: Type.Array(InstanceRecord) }),
    }),
    watch: stream({
      summary: 'All instances that are up, then every change as it happens.',
      access: anyService,
      output: Update,
    }),
  },
})
