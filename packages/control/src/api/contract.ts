/**
 * What can be asked of, and done to, a running system. The command line speaks it; so will the console.
 *
 * @module
 */
import { role } from '@flotilla/core/access'
import { defineContract } from '@flotilla/core/contract'
import { command, query } from '@flotilla/core/operation'
import { Nothing, type Static, Time, Type } from '@flotilla/core/schema'
import { INSTANCES_MAX } from '../topology/placement.ts'

/** Everything here needs the token that `flotilla up` wrote into the data folder. */
const operator = role('operator')

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

/** The control API. */
export const controlContract = defineContract({
  name: 'control',
  version: 1,
  summary: 'A running system: look and act.',
  operations: {
    status: query({
      summary: 'The state of everything.',
      access: operator,
      http: 'GET /status',
      output: Status,
    }),
    processes: query({
      summary: 'Every process: pid, CPU, memory, calls in flight, version.',
      access: operator,
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
        service: Type.String({ maxLength: 64 }),
        instances: Type.Integer({ minimum: 1, maximum: INSTANCES_MAX }),
      }),
      output: Type.Object({ host: Type.String(), instances: Count }),
      reasons: {
        no_service: noService,
        single: { code: 'failed_precondition', status: 409, title: 'This host can run once only' },
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
