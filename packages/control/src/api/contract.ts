/**
 * What can be asked of, and done to, a running system. The command line speaks it; so will the console.
 *
 * @module
 */
import { role } from '@flotilla/core/access'
import { defineContract } from '@flotilla/core/contract'
import { command, query } from '@flotilla/core/operation'
import { sagaStatuses } from '@flotilla/core/saga'
import { Nothing, type Static, Time, Type } from '@flotilla/core/schema'
import { INSTANCES_MAX } from '../topology/placement.ts'

/** Acting needs the token that `flotilla up` wrote into the data folder, or the console with changes allowed. */
const operator = role('operator')
/** Whoever has logged in at the console may look. */
const viewer = role('viewer', 'operator')

const Count = Type.Integer({ minimum: 0 })

/** One process slot. */
export const ProcessInfo = Type.Object(
  {
    name: Type.String(),
    host: Type.String(),
    services: Type.Array(Type.String()),
    state: Type.String(),
    isLooping: Type.Boolean(),
    /** Absent where there is no process right now. */
    pid: Type.Optional(Count),
    instance: Type.String(),
    version: Type.String(),
    http: Type.String(),
    starts: Count,
    uptimeMs: Type.Number(),
    /** Share of one core, lately. */
    cpuRatio: Type.Optional(Type.Number()),
    rssBytes: Type.Optional(Count),
    inFlight: Type.Optional(Count),
    loopDelayMs: Type.Optional(Type.Number()),
    lastEnd: Type.Optional(Type.String()),
  },
  { title: 'Process' },
)

/** One process slot as a value. */
export type ProcessInfo = Static<typeof ProcessInfo>

const Status = Type.Object(
  {
    app: Type.String(),
    placement: Type.String(),
    /** True when every process is ready. */
    isReady: Type.Boolean(),
    startedAt: Time,
    gateway: Type.String(),
    database: Type.String(),
    hosts: Type.Array(
      Type.Object({
        name: Type.String(),
        services: Type.Array(Type.String()),
        ready: Count,
        wanted: Count,
        isLooping: Type.Boolean(),
      }),
    ),
  },
  { title: 'Status' },
)

/** The state of a system as a value. */
export type Status = Static<typeof Status>

const noService = { code: 'not_found', title: 'There is no such service' } as const

const noProcess = { code: 'not_found', title: 'There is no such process' } as const

const Service = Type.String({ maxLength: 64 })
/** So many parked events or sagas are given at most, and by default. */
export const LISTED_MAX = 200
const Limit = Type.Optional(Type.Integer({ minimum: 1, maximum: LISTED_MAX }))

/** The service whose group could not handle it, and its number there. */
const ParkedId = Type.String({ pattern: '^[a-z][a-z0-9-]{0,62}:[1-9][0-9]{0,14}$' })

/** An event that a service could not handle. */
export const ParkedInfo = Type.Object(
  {
    id: ParkedId,
    service: Service,
    group: Type.String(),
    topic: Type.String(),
    key: Type.String(),
    eventId: Type.String(),
    partition: Count,
    position: Count,
    state: Type.Enum(['waiting', 'retrying', 'dead']),
    attempts: Count,
    nextAt: Time,
    parkedAt: Time,
    /** Later events of its key that wait for it. */
    behind: Count,
    error: Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()]),
  },
  { title: 'Parked' },
)

/** An event that a service could not handle, as a value. */
export type ParkedInfo = Static<typeof ParkedInfo>

const SagaId = Type.String({ minLength: 1, maxLength: 128 })
const SagaCause = Type.Union([
  Type.Object({
    code: Type.String(),
    message: Type.String(),
    reason: Type.Optional(Type.String()),
    data: Type.Optional(Type.Unknown()),
  }),
  Type.Null(),
])
const MaybeText = Type.Union([Type.String(), Type.Null()])
const SagaDirection = Type.Enum(['forward', 'backward'])

const SagaStatus = Type.Enum([...sagaStatuses])

/** A saga of a service. */
export const SagaInfo = Type.Object(
  {
    service: Service,
    id: SagaId,
    name: Type.String(),
    status: SagaStatus,
    /** What is done or undone next; null when it has ended. */
    step: MaybeText,
    direction: SagaDirection,
    attempts: Count,
    nextAt: MaybeText,
    /** The instance that runs it. */
    owner: MaybeText,
    /** What went wrong last. */
    error: SagaCause,
    /** Why it is compensated. */
    cause: SagaCause,
    traceId: Type.String(),
    createdAt: Time,
    updatedAt: Time,
  },
  { title: 'Saga' },
)

/** A saga of a service as a value. */
export type SagaInfo = Static<typeof SagaInfo>

const SagaEntry = Type.Object({
  seq: Count,
  step: MaybeText,
  direction: SagaDirection,
  outcome: Type.String(),
  error: SagaCause,
  at: Time,
})

const sagaReasons = {
  no_service: noService,
  no_saga: { code: 'not_found', title: 'There is no such saga' },
  several: { code: 'failed_precondition', status: 409, title: 'Several services have a saga with this id' },
} as const

/** The control API. */
export const controlContract = defineContract({
  name: 'control',
  version: 1,
  summary: 'A running system: look and act.',
  operations: {
    status: query({
      summary: 'The state of everything.',
      access: viewer,
      http: 'GET /status',
      output: Status,
    }),
    processes: query({
      summary: 'Every process: pid, CPU, memory, calls in flight, version.',
      access: viewer,
      http: 'GET /processes',
      output: Type.Object({ items: Type.Array(ProcessInfo) }),
    }),
    scale: command({
      summary: 'Runs a service in so many processes.',
      access: operator,
      http: 'PUT /services/{service}/instances',
      idempotency: 'natural',
      timeoutMs: 60_000,
      input: Type.Object({
        service: Service,
        instances: Type.Integer({ minimum: 1, maximum: INSTANCES_MAX }),
      }),
      output: Type.Object({ host: Type.String(), instances: Count }),
      reasons: {
        no_service: noService,
        single: { code: 'failed_precondition', status: 409, title: 'This host can run once only' },
      },
    }),
    restart: command({
      summary: 'Ends a process in good order and starts it again.',
      access: operator,
      http: 'POST /processes/{process}/restart',
      idempotency: 'none',
      timeoutMs: 90_000,
      input: Type.Object({ process: Service }),
      output: Nothing,
      reasons: { no_process: noProcess },
    }),
    kill: command({
      summary: 'Kills a process, as a crash would; it is started again.',
      access: operator,
      http: 'POST /processes/{process}/kill',
      idempotency: 'none',
      input: Type.Object({ process: Service }),
      output: Nothing,
      reasons: { no_process: noProcess },
    }),
    parked: query({
      summary: 'Events that failed: dead ones, then those that are tried again, the oldest first.',
      access: viewer,
      http: 'GET /parked',
      timeoutMs: 10_000,
      input: Type.Object({ service: Type.Optional(Service), limit: Limit }),
      output: Type.Object({ items: Type.Array(ParkedInfo), hasMore: Type.Boolean() }),
      reasons: { no_service: noService },
    }),
    parkedEvent: query({
      summary: 'One event that failed, or waits, with what is in it and what went wrong.',
      access: viewer,
      http: 'GET /parked/{id}',
      timeoutMs: 10_000,
      input: Type.Object({ id: ParkedId }),
      output: Type.Object({ ...ParkedInfo.properties, event: Type.Record(Type.String(), Type.Unknown()) }),
      reasons: {
        no_service: noService,
        not_parked: { code: 'not_found', title: 'This event is not parked' },
      },
    }),
    redrive: command({
      summary: 'Has dead events tried again, and with them what waits behind; others are left alone.',
      access: operator,
      http: 'POST /parked/redrive',
      idempotency: 'natural',
      timeoutMs: 30_000,
      input: Type.Object({
        which: Type.Union([
          Type.Array(ParkedId, { minItems: 1, maxItems: 100 }),
          Type.Object({ allOf: Service }),
          Type.Literal('all'),
        ]),
      }),
      output: Type.Object({ redriven: Type.Array(ParkedId) }),
      reasons: { no_service: noService },
    }),
    sagas: query({
      summary: 'Sagas, the latest first.',
      access: viewer,
      http: 'GET /sagas',
      timeoutMs: 10_000,
      input: Type.Object({
        service: Type.Optional(Service),
        status: Type.Optional(SagaStatus),
        limit: Limit,
      }),
      output: Type.Object({ items: Type.Array(SagaInfo), hasMore: Type.Boolean() }),
      reasons: { no_service: noService },
    }),
    saga: query({
      summary: 'One saga with its state and all that happened to it.',
      access: viewer,
      http: 'GET /sagas/{id}',
      timeoutMs: 10_000,
      input: Type.Object({ id: SagaId, service: Type.Optional(Service) }),
      output: Type.Object({
        ...SagaInfo.properties,
        state: Type.Unknown(),
        entries: Type.Array(SagaEntry),
      }),
      reasons: sagaReasons,
    }),
    retrySaga: command({
      summary: 'Has a parked saga go on, as if its step had never failed.',
      access: operator,
      http: 'POST /sagas/{id}/retry',
      idempotency: 'none',
      timeoutMs: 10_000,
      input: Type.Object({ id: SagaId, service: Type.Optional(Service) }),
      output: Type.Object({ service: Service }),
      reasons: {
        ...sagaReasons,
        not_parked: { code: 'failed_precondition', status: 409, title: 'This saga is not parked' },
      },
    }),
    call: command({
      summary: 'Calls an operation as an administrator.',
      access: operator,
      http: 'POST /calls',
      idempotency: 'none',
      timeoutMs: 30_000,
      input: Type.Object({ operation: Type.String({ maxLength: 100 }), input: Type.Unknown() }),
      output: Type.Object({ output: Type.Unknown() }),
      reasons: {
        no_operation: { code: 'not_found', title: 'There is no such operation' },
        refused: { code: 'failed_precondition', status: 409, title: 'The operation refused' },
      },
    }),
    down: command({
      summary: 'Stops everything in good order.',
      access: operator,
      http: 'POST /down',
      idempotency: 'natural',
      output: Nothing,
    }),
  },
})
